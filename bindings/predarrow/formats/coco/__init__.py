"""COCO's results and annotation files: every record becomes one prediction.

What odd records come to:

| record | what becomes of it |
|---|---|
| image_id or category_id is text, or 42.0 | kept verbatim, 42.0 is "42" |
| a list of lists (one an image) | read as one list; `row` counts on |
| results in a dictionary, under "annotations" | read as an annotation file |
| records of several kinds in one file | each is what it has |
| no score, or null | `default_confidence`, else null |
| score is text, NaN or Infinity | refused |
| bbox with another number of numbers than four, or with text, NaN or a negative side | refused |
| bbox with a side of 0 | kept |
| bbox null or `[]`, segmentation null or `[]`, keypoints null or `[]` | as if it were not there |
| all boxes lie in 0 to 1 (judged by the first block of the file) | the file is refused, unless `box_unit` is given |
| a flat polygon, `[x, y, x, y, …]` | one ring |
| an odd number of coordinates, or fewer than three vertices | refused |
| a polygon that ends with its first vertex | without the last one: rings are open; of three vertices all are kept |
| several polygons | one row with several parts |
| run lengths that break off, have other characters, negative counts, or another sum than height * width | refused |
| run lengths as text of a bytes literal, "b'…'" | refused, with the way out |
| run lengths of no pixel | kept and flagged; bbox null where the file has none |
| run lengths of another size than their image | refused |
| keypoints with a confidence in place of the visibility | visibility null, their text kept in `attributes`, flagged |
| category that is not in a list of categories | called by its id, flagged |
| image that is not in the file's list of images | refused |
| category names that repeat | kept |
| an id that stands for two images or categories | the file is refused |
| two lists of images, of categories or of annotations in the file | refused |
| captions, panoptic segments, masks of a video (`segmentations`), boxes with an angle (`rbox`) | the file is refused |
| a dictionary without "annotations" | refused |

Where a file is refused for what stands in it (broken JSON or text, another format, a second list), on_error="skip"
gives the rows of the records in front of that, if the images and categories that the file lists are known by then.
"""
