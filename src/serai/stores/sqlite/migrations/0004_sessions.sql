-- Lists of sessions begin with the latest, and what was said in one is found without looking through all turns.
CREATE INDEX session_last ON session (last_at);
CREATE INDEX turn_session ON turn (session);
CREATE INDEX input_turn ON input (turn) WHERE turn IS NOT NULL;
CREATE INDEX delivery_turn ON delivery (turn) WHERE turn IS NOT NULL;
