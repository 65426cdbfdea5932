-- The tables of a Terarchitect installation: the newest form of its schema.
-- What its migrations make has time zones and cascades, what its ORM makes has
-- neither.  Of the extension "vector" only the name of a type matters here.
CREATE FUNCTION uuid_generate_v4() RETURNS uuid LANGUAGE sql AS
$$ SELECT gen_random_uuid() /* ; COPY public.projects (id) FROM stdin; */ $$;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $_$
BEGIN
  -- INSERT INTO projects VALUES ('not a row');
  NEW.updated_at = CURRENT_TIMESTAMP; RETURN NEW;
END;
$_$;
CREATE TABLE projects (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  name varchar(255) NOT NULL,
  description text,
  project_path text,
  github_url text,
  execution_mode varchar(50) NOT NULL DEFAULT 'docker',
  created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE graphs (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  project_id uuid NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
  nodes jsonb NOT NULL DEFAULT '[]',
  edges jsonb NOT NULL DEFAULT '[]',
  version integer NOT NULL DEFAULT 1,
  created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE kanban_boards (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  project_id uuid NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
  columns jsonb NOT NULL DEFAULT '[{"id": "backlog", "title": "Backlog", "order": 0}]',
  created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE tickets (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  project_id uuid NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
  column_id text NOT NULL,
  title varchar(255) NOT NULL,
  description text,
  associated_node_ids jsonb DEFAULT '[]',
  associated_edge_ids jsonb DEFAULT '[]',
  priority varchar(50) DEFAULT 'medium',
  status varchar(50) DEFAULT 'todo',
  created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX tickets_board ON tickets(project_id, column_id);
CREATE TRIGGER tickets_touch BEFORE UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TABLE ticket_comments (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  ticket_id uuid NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  content text NOT NULL,
  is_summary boolean DEFAULT false,
  created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE notes (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  project_id uuid NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
  node_id text,
  edge_id text,
  title varchar(255),
  content text,
  created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE execution_logs (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  project_id uuid NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
  ticket_id uuid NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  session_id varchar(255),
  step varchar(100),
  summary text,
  input_tokens integer,
  output_tokens integer,
  success boolean DEFAULT true,
  created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP,
  raw_output text
);
CREATE TABLE prs (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  project_id uuid NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
  ticket_id uuid NOT NULL REFERENCES tickets(id) ON DELETE CASCADE,
  pr_number integer,
  pr_url text,
  commit_hash varchar(255),
  created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE pr_review_comments (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  project_id uuid NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
  ticket_id uuid REFERENCES tickets(id) ON DELETE SET NULL,
  pr_number integer NOT NULL,
  github_comment_id bigint NOT NULL,
  author_login text,
  body text,
  comment_created_at timestamp with time zone,
  addressed_at timestamp with time zone,
  created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP,
  UNIQUE (project_id, pr_number, github_comment_id)
);
CREATE TABLE settings (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  project_id uuid NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
  key varchar(255) NOT NULL,
  value jsonb,
  created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP,
  UNIQUE (project_id, key)
);
CREATE TABLE app_settings (
  id uuid PRIMARY KEY,
  key varchar(255) NOT NULL UNIQUE,
  value text NOT NULL,
  created_at timestamp without time zone,
  updated_at timestamp without time zone
);
CREATE TABLE agent_jobs (
  id uuid PRIMARY KEY,
  ticket_id uuid NOT NULL REFERENCES tickets(id),
  project_id uuid NOT NULL REFERENCES projects(id),
  kind varchar(50) NOT NULL,
  status varchar(50) NOT NULL,
  created_at timestamp without time zone,
  pr_number integer,
  comment_body text,
  github_comment_id bigint
);
CREATE TABLE rag_embeddings (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  project_id uuid NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
  source_type varchar(50) NOT NULL,
  source_id uuid NOT NULL,
  content text NOT NULL,
  embedding real[],
  created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP
);
