"""Loading of names, photos and vectors into the tables of the catalogue."""
