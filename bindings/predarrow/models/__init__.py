"""What a model gives, in memory: boxes, masks, results of detection libraries; and a collector for loops."""
