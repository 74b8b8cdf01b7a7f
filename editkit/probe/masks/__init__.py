"""Where objects are: drawn masks, boxes and COCO segmentations -> regions of the upright picture."""
