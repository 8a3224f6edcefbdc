"""Hot swap under load: what requests notice of new versions, and how soon a published version answers."""
