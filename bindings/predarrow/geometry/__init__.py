"""One geometry as another: any kind as polygons, as masks, or as the boxes that cover it.

For formats that hold less than the table does: `to_polygons` and `to_masks` give a column for the rows of a table, null
for what has no such form, and tell what is lost, so that a writer can say so.
"""

from predarrow.geometry.conversion import Converted
from predarrow.geometry.covering import covers
from predarrow.geometry.masks import to_masks
from predarrow.geometry.polygons import to_polygons

__all__ = ["Converted", "covers", "to_masks", "to_polygons"]
