"""Wall seconds from rows to a published model: `sluiceway run taxi` beside TFX's own taxi example, on the same rows."""
