"""ASAM OpenLABEL 1.0.0 as Kognic uses it for predictions, and as others write it.

    {"openlabel": {
        "metadata": {"schema_version": "1.0.0", …},
        "streams": {"camera_id": {"type": "camera", …}}, "coordinate_systems": {…}, "ontologies": {…}, "relations": {…},
        "objects": {<uid>: {"name": …, "type": <class>, "object_data": {"text": [{"name": "color", "val": "red"}]}}},
        "frames": {"0": {
            "frame_properties": {"timestamp": …, "external_id": …},
            "objects": {<uid>: {"object_data": {"bbox": [{
                "name": …, "val": [cx, cy, w, h],
                "attributes": {"num": [{"name": "confidence", "val": 0.85}],
                               "text": [{"name": "stream", "val": "camera_id"}]}}]}}}}}}}

Each geometry on a frame becomes a row: `bbox` (centre and size -> corners), `rbbox` (radians from x to y -> degrees
clockwise, as y is down), `cuboid` (10 numbers with a quaternion, or 9 with Euler angles), `poly2d` (closed: polygon,
open: polyline), `point2d` and `image` (a PNG in base64; one row for each of its classes). What fits no column stands in
`attributes`:

    name          of the geometry
    interpolated  its boolean attribute of this name
    attributes    its further attributes by type, as they are: {"num": [{"name", "val"}, …], "text": …, "boolean": …,
                  "vec": …}; num `confidence` other than 1 and text `stream` are in the columns, unless they have
                  further members. Other spellings of the confidence (num `score`, vec `confidence` of one number) stay,
                  and num `confidence` beside them; where a geometry has none, that of its object's data on the frame
                  is taken, which stands in `frame`
    object        on the first of the object's rows: its entry in `objects`, `type` only where the row's class is
                  another, as that of an image's values is
    convention    of cuboids: "kognic" (the object looks along its own +y, width along x, length along y) or
                  "openlabel" (ISO 8855: it looks along +x; width is the size along x, length along y, as in the file)
    openlabel     what only OpenLABEL has:
        geometry  further members of the geometry: coordinate_system, uid, mode, closed, mime_type, encoding, …
        val       where the columns do not give `val` back: Euler angles, vertices beyond float32, images (on the first
                  of an image's rows), rotated boxes, points, boxes whose corners do not give centre and size back
        value     of an image's rows: the pixel value, a whole number
        type      where the geometry's type is not the kind's own (bbox, rotated_bbox: rbbox, cuboid, polygon and
                  polyline: poly2d, keypoints: point2d, bitmask: image)
        rings     of polygons joined by `polygon_id`: one {"name", "attributes", …, "val" where needed} for each
                  ring, outline first; `name`, `attributes` and `geometry` of the row are those of the first outline
        root      true where the geometry stands in `objects` at the root, and not in a frame
        frame     on the frame's first row: the frame without the geometries that are rows (frame_properties, relations,
                  actions, …; under `objects` what objects have beside them: text, vec, poly3d, …)
        file      on the file's first row: `openlabel` without the frames and objects that have rows; under `frames` and
                  `objects` those without

Two dialects. "kognic" makes the checks that Kognic makes on upload, "asam" only those of the standard:

| odd input | kognic | asam |
|---|---|---|
| text, NaN or an infinite number in `val` or the confidence, another count of numbers | refused | refused |
| sizes of 0 or below, a quaternion whose length is not 1, rings of fewer than 3 vertices | refused | refused |
| confidence beyond 0 to 1, or given twice | refused | refused |
| an object on a frame that `objects` does not have | refused | refused |
| `schema_version` other than "1.0.0", a frame whose key is no whole number | refused | refused |
| no stream, or one that `streams` does not have | refused | taken; an unknown one is flagged |
| a flat geometry in a stream that is no camera, a cuboid in one that is | refused | taken |
| geometries of two types in one file | the later type is refused, unless `mixed` | taken |
| two cuboids of an object on a frame | the later one is refused | taken |
| a geometry at the root | refused | a row on the file's first frame, 0 where it has none |
| a hole without outline, holes of several outlines with one `polygon_id` | refused | refused |
| no column: poly3d, point3d, mat, mesh, vec, chain codes, references, a cuboid that is null | kept, flagged | same |
| an image of nothing but background | kept, flagged | same |
| an image that is no PNG of values, or with a value that its ontology does not name | refused | refused |
| NaN or an infinite number outside of geometries that become rows | the file is refused | the file is refused |
| keys that are not known, empty lists | kept in `openlabel` | same |
| a file without a row | counted | same |
| a key twice in one JSON object | the later one holds, as in every JSON library | same |

Source: ASAM OpenLABEL 1.0.0, and Kognic's pages on its prediction format and its OpenLABEL format.
"""
