"""Encord's label rows, read from and written to the form of its SDK and its platform's JSON export.

    {"data_hash": …, "data_type": "video", …,
     "data_units": {<hash>: {"width": …, "height": …, "labels": {"103": {"objects": [
         {"objectHash": …, "featureHash": …, "shape": "bounding_box", "boundingBox": {"h": …, "w": …, "x": …, "y": …},
          "confidence": …, "createdAt": …, "createdBy": …, …}], "classifications": []}}}},
     "object_answers": {<objectHash>: {"classifications": [answer, …], …}},
     "object_actions": {<objectHash>: {"actions": [answer with "range": [[start, end], …], …]}},
     "classification_answers": {<hash>: {"featureHash": …, "classifications": [answer, …], "range": [[start, end], …]}}}

An answer is `{"name", "value", "featureHash", "manualAnnotation", "answers": [options], text or number}`. The labels of
an image stand in `labels` without a frame, those of an image group's images in a data unit each, with its place in
`data_sequence`. Objects of sound and text stand in `object_answers`, with `range` or `range_html`. Coordinates are
shares of the image's width and height. A platform export is a list of such rows.

What does not fit the table's columns stands in `attributes`: times and people, `answers` (those of the object or
classification, on each of its rows), `dynamic` (those of single frames), `ranges` of spans, `global`, keys that are not
known as they are, and under `encord` what only label rows have:

    label_row     on the first of the label row's rows: its own members and its data units' without labels, as they
                  are; a frame's own (`metadata`) under the unit's `labels.<frame>`
    portable      there too, true where the label row has what only older SDKs ask for (classifications on frames,
                  `trackHash`), so that it is written so again
    object        on the first of the object's rows: further members of its entry in `object_answers` or
                  `classification_answers`, among them `range` where ranges overlap or touch, or are those of a global
                  classification; `object_actions` holds the entry there, with `actions`, where the ranges of dynamic
                  answers would not come back from the frames on which the object is
    coordinates   the geometry's members as they are, where the columns do not give their very numbers back, and always
                  of cuboids, whose angles and back faces have no column
    points        of skeletons: `color`, `featureHash` and `value` of each point
    z             of points and polylines in scenes
    name          of skeletons that have another than their class

| odd input | what becomes of it |
|---|---|
| text, NaN or an infinite number in geometry | refused |
| sizes of 0 or below, rings of fewer than 3 vertices, an odd count of numbers, no geometry | refused |
| a ring that repeats its first vertex | the vertex is left out, the original kept in `encord` |
| `polygon` that is not the first ring of `polygons` | `polygons` holds, as in the SDK; both are kept |
| x or y beyond 0 to 1 | kept and flagged, never clipped |
| geometry of another shape, or none of the object's own | refused |
| run lengths that do not fill their bitmask, a bitmask of another size than its image | refused |
| `top` or `left` of a bitmask other than 0 | kept; the SDK and this package do not use them |
| a word for visibility that is not Encord's | refused; the editor's flags are read, too |
| points of a skeleton other than its template's, with the ontology given | refused |
| no width or height of the image | refused where coordinates are relative |
| an object twice on a frame, or with two classes | the later one is refused |
| a frame that is no whole number, or beyond the video (`data_fps` * `data_duration`) | refused |
| a class, attribute or option that the given ontology does not have | refused |
| a radio attribute without an answer or with two, with the ontology given | refused (the SDK drops them) |
| a checklist with an entry for each option, as the editor writes it | one answer |
| ranges that end before they start | refused |
| ranges that overlap or touch | joined, flagged, kept |
| a classification on a frame twice, or on more than 2**24 frames in one label row | refused |
| classifications on frames only, as older rows have them | read from there, each with its own confidence |
| a dynamic answer on frames where its object is not | flagged, kept |
| a hash in `object_answers`, `object_actions` or `classification_answers` that is not its entry's key | refused |
| answers of an object that is on no frame | left out and flagged, as in the SDK |
| confidence missing or null | 1; beyond 0 to 1 it is kept and flagged |
| the end of an object in a continuous scene (`event: delete`) | refused |
| keys that are not known | kept in `attributes` |
| a label row without labels | has no row in the table, counted |
| two label rows of one data unit (two branches) | the later one is refused |
| labels of `spaces` (data groups) | kept in `encord`, not read, counted |
| a key twice in one JSON object | the later one holds, as in every JSON library |
"""
