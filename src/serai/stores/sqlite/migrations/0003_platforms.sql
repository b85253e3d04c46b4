-- What is told while a turn runs, with the number of its model call; buttons and files of messages.
ALTER TABLE delivery ADD COLUMN call INTEGER;
ALTER TABLE delivery ADD COLUMN buttons BLOB;
ALTER TABLE delivery ADD COLUMN enclosure BLOB;
CREATE INDEX delivery_told ON delivery (turn) WHERE call IS NOT NULL;
