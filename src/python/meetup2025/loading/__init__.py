"""Names, photos and vectors into the tables of the catalogue."""
