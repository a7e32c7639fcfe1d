-- The tables of format 3, as SQLAlchemy made them from `reconciler/state/schema.py` of commit 2975781:
-- the same statements on SQLite and on PostgreSQL.

CREATE TABLE series (
	fingerprint TEXT NOT NULL, 
	document TEXT NOT NULL, 
	PRIMARY KEY (fingerprint)
);

CREATE TABLE stack (
	stack_id TEXT NOT NULL, 
	lineage TEXT NOT NULL, 
	format INTEGER NOT NULL, 
	writes BIGINT NOT NULL, 
	fence BIGINT NOT NULL, 
	lease_id TEXT, 
	holder TEXT, 
	held_since BIGINT, 
	lease_until BIGINT, 
	contents TEXT, 
	journal_seq BIGINT, 
	journal_hash TEXT, 
	seal TEXT, 
	PRIMARY KEY (stack_id)
);

CREATE TABLE attempt (
	attempt_id TEXT NOT NULL, 
	stack_id TEXT NOT NULL, 
	number BIGINT NOT NULL, 
	address TEXT NOT NULL, 
	connection TEXT NOT NULL, 
	operation TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	series TEXT NOT NULL, 
	generation INTEGER NOT NULL, 
	start_date TEXT NOT NULL, 
	end_date TEXT NOT NULL, 
	call_id TEXT NOT NULL, 
	plan_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	state TEXT NOT NULL, 
	serial_call BOOLEAN NOT NULL, 
	adopted BOOLEAN NOT NULL, 
	fence BIGINT NOT NULL, 
	created_at BIGINT NOT NULL, 
	signed_at BIGINT, 
	valid_until BIGINT, 
	request_digest TEXT, 
	code TEXT, 
	message TEXT, 
	transient BOOLEAN NOT NULL, 
	request_id TEXT, 
	run_ids TEXT NOT NULL, 
	run_group TEXT, 
	coverage TEXT NOT NULL, 
	observed_at BIGINT, 
	seal TEXT, 
	PRIMARY KEY (attempt_id), 
	CONSTRAINT attempt_state CHECK (state IN ('intent','sent','unknown','partial','accepted','refused','void','absent','settled','requested','forgotten')), 
	CONSTRAINT attempt_dates CHECK (start_date < end_date), 
	FOREIGN KEY(stack_id) REFERENCES stack (stack_id), 
	FOREIGN KEY(series) REFERENCES series (fingerprint)
);

CREATE TABLE journal (
	stack_id TEXT NOT NULL, 
	seq BIGINT NOT NULL, 
	at BIGINT NOT NULL, 
	fence BIGINT NOT NULL, 
	who TEXT NOT NULL, 
	command TEXT NOT NULL, 
	git_commit TEXT, 
	event TEXT NOT NULL, 
	data TEXT NOT NULL, 
	prev_hash TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	PRIMARY KEY (stack_id, seq), 
	FOREIGN KEY(stack_id) REFERENCES stack (stack_id)
);

CREATE TABLE tag (
	stack_id TEXT NOT NULL, 
	home TEXT NOT NULL, 
	survives BOOLEAN NOT NULL, 
	at BIGINT NOT NULL, 
	seal TEXT, 
	PRIMARY KEY (stack_id, home), 
	FOREIGN KEY(stack_id) REFERENCES stack (stack_id)
);

CREATE TABLE usage (
	stack_id TEXT NOT NULL, 
	connection TEXT NOT NULL, 
	day TEXT NOT NULL, 
	calls BIGINT NOT NULL, 
	seal TEXT, 
	PRIMARY KEY (stack_id, connection, day), 
	FOREIGN KEY(stack_id) REFERENCES stack (stack_id)
);

CREATE INDEX attempt_call ON attempt (stack_id, call_id);

CREATE INDEX attempt_subject ON attempt (stack_id, subject, start_date);
