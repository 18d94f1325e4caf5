"""Label Studio's JSON of tasks with predictions and annotations.

    [{"id": 7, "data": {"image": "https://…/a.jpg"},
      "predictions": [{
        "model_version": "one", "score": 0.9,
        "result": [{
          "id": "r1", "from_name": "label", "to_name": "image", "type": "rectanglelabels", "score": 0.8,
          "original_width": 640, "original_height": 480, "image_rotation": 0,
          "value": {"x": 10.5, "y": 20, "width": 30, "height": 5, "rotation": 0, "rectanglelabels": ["Car"]}}]}],
      "annotations": [{"id": 3, "completed_by": 1, "result": […]}]}]

Also one task alone, one a line (.jsonl), {"tasks": […]} as the API answers, and a bare list of predictions, as the API
and machine learning backends give it. A region, all results of one `id` in one prediction, becomes a row:

| kind | type | value |
|---|---|---|
| bbox, rotated_bbox | rectangle, rectanglelabels, ocrlabels | percent; rotation about the top-left corner, clockwise |
| ellipse | ellipse, ellipselabels | percent; x and y are the centre |
| polygon | polygon, polygonlabels | one ring; also vector and vectorlabels that are closed |
| polyline | vector, vectorlabels | open ones |
| keypoints | keypoint, keypointlabels | one point |
| bitmask | brush, brushlabels, magicwand, bitmask, bitmasklabels | run lengths of RGBA bytes, or a PNG; alpha counts |
| bbox, rotated_bbox | videorectangle | one row for each entry of its sequence; frames from 1, in the table from 0 |
| span | labels, hypertextlabels, paragraphlabels, timeserieslabels, timelinelabels | start and end, or ranges |
| classification | choices, taxonomy, rating, number, datetime, textarea, pairwise, ranker, chatmessage | any |

The geometry decides where the type is another one: `labels` and `textarea` with x, y, width and height alone are boxes.
Coordinates are pixels of `original_width` and `original_height`. What fits no column stands in `attributes`:

    labels          all labels, where there is not exactly one (none at all: no such member)
    text, choices, taxonomy, rating, number, datetime, selected, ranker, chatmessage
                    what a control per region, or one of the whole task, holds
    ranges          of spans: [[start, end], …]; [{"start", "end", "startOffset", …}, …] where these are no numbers
    keypoint_width  in percent of the image's width
    readonly, hidden, meta, item_index    as they are
    parent          `parentID`
    model_version   of the prediction
    label_studio    what only Label Studio has:
        task        on the first row of a task: the task without predictions, annotations and completions that are lists
        rowless     on the first row of a task: entries of those lists without a row, {"predictions": [[place, entry],
                    …]}; a list with rows and nothing else is not named, one that is there and empty is []
        list        "annotations" or "completions", where the row is not of "predictions"
        prediction  on the first row of a prediction: its members without `result` and `model_version`; under "results"
                    relations and other results without a row, [[place in `result`, result], …]
        results     of a region, in their order: {"from_name", "to_name", "type", …} with further members as they are;
                    what stands here holds, whatever the columns say. "without": names of members that a result lacks
                    though the region has them (id, score, original_width, original_height, readonly, hidden, parentID,
                    meta, item_index). "at": its place in `result`, where they do not stand together. "value":
                    the whole value, where it is not that of the result with the geometry (the first with a type of a
                    geometry) with the control's own member in place of the labels. Labels belong to the first result
                    whose type ends in "labels", else to the one with the geometry
        value       members of the geometry's value as they are: what no column gives back (channel, instant, the text
                    of a span, vertices with Beziers, …), numbers that pixels do not give back; they hold, whatever the
                    columns say. Of a single entry of a sequence: its members
        without     members of the value that it lacks, of those that are written where nothing is said: rotation (0),
                    closed (true), of sequences enabled (true)
        score       "value", "prediction" or "sequence", where the confidence is told there and not by the region
        at          on rows of tasks with sequences: [task, place in its list, place in `result`] from 0, as rows of
                    several regions and predictions take turns by frame
        sequence    on the first row of a sequence: members of its value other than sequence and labels; {} where none

Rows are in the file's order within a data unit: rows of a task follow the one with `task`, rows of a prediction the one
with `prediction`. A bare prediction has no `task`. Tasks that are written again are in the order of their data units.
Rows of one data unit from several files are told apart by the column `source`, and are never of one task.

| odd input | what becomes of it |
|---|---|
| predictions as bare numbers, as the JSON export has them | the file is refused |
| no original size, and none in `image_sizes` | refused; Label Studio's own videos have none, those written here do |
| several texts in `data`, and no way to tell which | refused |
| text for a number, a number that is not finite, a missing x, y, width, … | refused |
| run lengths that break off, or of another size | refused |
| masks that another encoder wrote | pixels count: written again, their bytes are this package's |
| masks with values between transparent and opaque | cut at `threshold`, flagged |
| negative sizes, beyond the image, rings of fewer than 3 vertices | refused where a column cannot hold it, else taken |
| null for a member that may be missing | as if it were missing, and written again |
| a score beyond 0 to 1, a score as text | kept, flagged |
| a sequence without an entry; members of a result called `at` or `without` | refused |
| a sequence whose frames do not ascend | taken, flagged: its entries come back by frame |
| an `id` that is no text | taken as text, kept as it is, flagged |
| a type in capitals | taken by its small letters, flagged |
| vectors that move in a video | refused |
| an unknown type | taken by its geometry; flagged where it has none |
| two geometries with one id | two rows, flagged |
| from_name that the config lacks | taken |
| relations | kept with their prediction |
| a task or prediction without a row | counted |
| tasks and predictions that stand alone in one file | refused |
| NaN or an infinite number anywhere in a file | the file is refused |

The way of what is read, and of what is written:

    documents   tasks of a file            regions   of their results       values    shapes, masks, spans, videos
    collect     their predictions          units     what they show         rows      batches; row_texts, texts
    write_rows  rows, by write_sorts       write_controls, write_forms      write_tasks   text by places and items
                and write_checks           what their results are           write_shards  files

`tags` is the one table of types, `forms` what of it concerns readers and writers. `config` reads labelling configs,
`label_config` makes one of what `fitting` found in rows. `check` and check_* hold tasks to rules of Label Studio's own.

Source: Label Studio's pages on pre-annotations and tasks, and its tags' pages; `converter/brush.py` for run lengths.
"""
