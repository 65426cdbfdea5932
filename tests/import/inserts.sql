--
-- PostgreSQL database dump
--

\restrict ps99zKjwLtyQDqkFCfjc7qPK3Cy1zok8tXM0aKk6jrF7mtQ1QBS9euS8zoJfNsj

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: touch(); Type: FUNCTION; Schema: public; Owner: tera
--

CREATE FUNCTION public.touch() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  -- INSERT INTO projects VALUES ('not a row');
  NEW.updated_at = CURRENT_TIMESTAMP; RETURN NEW;
END;
$$;


ALTER FUNCTION public.touch() OWNER TO tera;

--
-- Name: uuid_generate_v4(); Type: FUNCTION; Schema: public; Owner: tera
--

CREATE FUNCTION public.uuid_generate_v4() RETURNS uuid
    LANGUAGE sql
    AS $$ SELECT gen_random_uuid() /* ; COPY public.projects (id) FROM stdin; */ $$;


ALTER FUNCTION public.uuid_generate_v4() OWNER TO tera;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: agent_jobs; Type: TABLE; Schema: public; Owner: tera
--

CREATE TABLE public.agent_jobs (
    id uuid NOT NULL,
    ticket_id uuid NOT NULL,
    project_id uuid NOT NULL,
    kind character varying(50) NOT NULL,
    status character varying(50) NOT NULL,
    created_at timestamp without time zone,
    pr_number integer,
    comment_body text,
    github_comment_id bigint
);


ALTER TABLE public.agent_jobs OWNER TO tera;

--
-- Name: app_settings; Type: TABLE; Schema: public; Owner: tera
--

CREATE TABLE public.app_settings (
    id uuid NOT NULL,
    key character varying(255) NOT NULL,
    value text NOT NULL,
    created_at timestamp without time zone,
    updated_at timestamp without time zone
);


ALTER TABLE public.app_settings OWNER TO tera;

--
-- Name: execution_logs; Type: TABLE; Schema: public; Owner: tera
--

CREATE TABLE public.execution_logs (
    id uuid DEFAULT public.uuid_generate_v4() NOT NULL,
    project_id uuid NOT NULL,
    ticket_id uuid NOT NULL,
    session_id character varying(255),
    step character varying(100),
    summary text,
    input_tokens integer,
    output_tokens integer,
    success boolean DEFAULT true,
    created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP,
    raw_output text
);


ALTER TABLE public.execution_logs OWNER TO tera;

--
-- Name: graphs; Type: TABLE; Schema: public; Owner: tera
--

CREATE TABLE public.graphs (
    id uuid DEFAULT public.uuid_generate_v4() NOT NULL,
    project_id uuid NOT NULL,
    nodes jsonb DEFAULT '[]'::jsonb NOT NULL,
    edges jsonb DEFAULT '[]'::jsonb NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP
);


ALTER TABLE public.graphs OWNER TO tera;

--
-- Name: kanban_boards; Type: TABLE; Schema: public; Owner: tera
--

CREATE TABLE public.kanban_boards (
    id uuid DEFAULT public.uuid_generate_v4() NOT NULL,
    project_id uuid NOT NULL,
    columns jsonb DEFAULT '[{"id": "backlog", "order": 0, "title": "Backlog"}]'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP
);


ALTER TABLE public.kanban_boards OWNER TO tera;

--
-- Name: notes; Type: TABLE; Schema: public; Owner: tera
--

CREATE TABLE public.notes (
    id uuid DEFAULT public.uuid_generate_v4() NOT NULL,
    project_id uuid NOT NULL,
    node_id text,
    edge_id text,
    title character varying(255),
    content text,
    created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP
);


ALTER TABLE public.notes OWNER TO tera;

--
-- Name: pr_review_comments; Type: TABLE; Schema: public; Owner: tera
--

CREATE TABLE public.pr_review_comments (
    id uuid DEFAULT public.uuid_generate_v4() NOT NULL,
    project_id uuid NOT NULL,
    ticket_id uuid,
    pr_number integer NOT NULL,
    github_comment_id bigint NOT NULL,
    author_login text,
    body text,
    comment_created_at timestamp with time zone,
    addressed_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP
);


ALTER TABLE public.pr_review_comments OWNER TO tera;

--
-- Name: projects; Type: TABLE; Schema: public; Owner: tera
--

CREATE TABLE public.projects (
    id uuid DEFAULT public.uuid_generate_v4() NOT NULL,
    name character varying(255) NOT NULL,
    description text,
    project_path text,
    github_url text,
    execution_mode character varying(50) DEFAULT 'docker'::character varying NOT NULL,
    created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP
);


ALTER TABLE public.projects OWNER TO tera;

--
-- Name: prs; Type: TABLE; Schema: public; Owner: tera
--

CREATE TABLE public.prs (
    id uuid DEFAULT public.uuid_generate_v4() NOT NULL,
    project_id uuid NOT NULL,
    ticket_id uuid NOT NULL,
    pr_number integer,
    pr_url text,
    commit_hash character varying(255),
    created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP
);


ALTER TABLE public.prs OWNER TO tera;

--
-- Name: rag_embeddings; Type: TABLE; Schema: public; Owner: tera
--

CREATE TABLE public.rag_embeddings (
    id uuid DEFAULT public.uuid_generate_v4() NOT NULL,
    project_id uuid NOT NULL,
    source_type character varying(50) NOT NULL,
    source_id uuid NOT NULL,
    content text NOT NULL,
    embedding real[],
    created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP
);


ALTER TABLE public.rag_embeddings OWNER TO tera;

--
-- Name: settings; Type: TABLE; Schema: public; Owner: tera
--

CREATE TABLE public.settings (
    id uuid DEFAULT public.uuid_generate_v4() NOT NULL,
    project_id uuid NOT NULL,
    key character varying(255) NOT NULL,
    value jsonb,
    created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP
);


ALTER TABLE public.settings OWNER TO tera;

--
-- Name: ticket_comments; Type: TABLE; Schema: public; Owner: tera
--

CREATE TABLE public.ticket_comments (
    id uuid DEFAULT public.uuid_generate_v4() NOT NULL,
    ticket_id uuid NOT NULL,
    content text NOT NULL,
    is_summary boolean DEFAULT false,
    created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP
);


ALTER TABLE public.ticket_comments OWNER TO tera;

--
-- Name: tickets; Type: TABLE; Schema: public; Owner: tera
--

CREATE TABLE public.tickets (
    id uuid DEFAULT public.uuid_generate_v4() NOT NULL,
    project_id uuid NOT NULL,
    column_id text NOT NULL,
    title character varying(255) NOT NULL,
    description text,
    associated_node_ids jsonb DEFAULT '[]'::jsonb,
    associated_edge_ids jsonb DEFAULT '[]'::jsonb,
    priority character varying(50) DEFAULT 'medium'::character varying,
    status character varying(50) DEFAULT 'todo'::character varying,
    created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP
);


ALTER TABLE public.tickets OWNER TO tera;

--
-- Data for Name: agent_jobs; Type: TABLE DATA; Schema: public; Owner: tera
--

INSERT INTO public.agent_jobs VALUES ('b0000000-0000-4000-8000-000000000002', '40000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000001', 'ticket', 'running', '2026-02-01 12:00:01', NULL, NULL, NULL);
INSERT INTO public.agent_jobs VALUES ('b0000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', 'ticket', 'completed', '2026-02-01 11:00:01', NULL, NULL, NULL);
INSERT INTO public.agent_jobs VALUES ('b0000000-0000-4000-8000-000000000003', '40000000-0000-4000-8000-000000000003', '10000000-0000-4000-8000-000000000001', 'ticket', 'failed', '2026-02-01 13:00:01', NULL, NULL, NULL);
INSERT INTO public.agent_jobs VALUES ('b0000000-0000-4000-8000-000000000005', '40000000-0000-4000-8000-000000000003', '10000000-0000-4000-8000-000000000001', 'review', 'pending', '2026-02-01 14:06:00', 12, 'please
\rename', 12345678901);
INSERT INTO public.agent_jobs VALUES ('b0000000-0000-4000-8000-000000000007', '40000000-0000-4000-8000-000000000006', '10000000-0000-4000-8000-000000000002', 'ticket', 'pending', '2026-02-02 16:00:01', NULL, NULL, NULL);
INSERT INTO public.agent_jobs VALUES ('b0000000-0000-4000-8000-000000000006', '40000000-0000-4000-8000-000000000006', '10000000-0000-4000-8000-000000000002', 'ticket', 'pending', '2026-02-02 16:00:00', NULL, NULL, NULL);
INSERT INTO public.agent_jobs VALUES ('b0000000-0000-4000-8000-000000000004', '40000000-0000-4000-8000-000000000006', '10000000-0000-4000-8000-000000000002', 'ticket', 'failed', '2026-02-02 15:00:00', NULL, NULL, NULL);
INSERT INTO public.agent_jobs VALUES ('b0000000-0000-4000-8000-000000000008', '40000000-0000-4000-8000-000000000004', '10000000-0000-4000-8000-000000000001', 'plan', 'pending', '2026-02-02 15:00:00', NULL, NULL, NULL);


--
-- Data for Name: app_settings; Type: TABLE DATA; Schema: public; Owner: tera
--

INSERT INTO public.app_settings VALUES ('a0000000-0000-4000-8000-000000000001', 'github_agent_token', 'AAECAwQFBgcICQoL/bCgq5vglcbDKW0DkNrvg2BSe3Dzyu5YDzDIjc8=', '2026-02-01 10:00:00.5', '2026-02-01 10:00:00.5');
INSERT INTO public.app_settings VALUES ('a0000000-0000-4000-8000-000000000002', 'AGENT_MODEL', 'gpt-4o', '2026-02-01 10:00:00', '2026-02-01 10:00:00');
INSERT INTO public.app_settings VALUES ('a0000000-0000-4000-8000-000000000003', 'VLLM_URL', 'http://old:8000', '2026-02-01 09:00:00', '2026-02-01 09:00:00');
INSERT INTO public.app_settings VALUES ('a0000000-0000-4000-8000-000000000004', 'AGENT_LLM_URL', 'http://new:8000', '2026-02-01 10:00:00', '2026-02-01 10:00:00');
INSERT INTO public.app_settings VALUES ('a0000000-0000-4000-8000-000000000005', 'WORKER_TYPE', 'claude_code', '2026-02-01 10:00:00', '2026-02-01 10:00:00');
INSERT INTO public.app_settings VALUES ('a0000000-0000-4000-8000-000000000006', 'OPENCODE_CMD', 'opencode', '2026-02-01 10:00:00', '2026-02-01 10:00:00');
INSERT INTO public.app_settings VALUES ('a0000000-0000-4000-8000-000000000007', 'GIT_USER_NAME', 'Ann "\" é', '2026-02-01 10:00:00', '2026-02-01 10:00:00');
INSERT INTO public.app_settings VALUES ('a0000000-0000-4000-8000-000000000008', 'openai_api_key', 'AAECAwQFBgcICQoLYmDHEiHUKBSmKMGXMMi3eloMaQdoUa8=', '2026-02-01 10:00:00', '2026-02-01 10:00:00');


--
-- Data for Name: execution_logs; Type: TABLE DATA; Schema: public; Owner: tera
--

INSERT INTO public.execution_logs VALUES ('70000020-0000-4000-8000-000000000000', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000003', 's', 'worker_turn_20', 'turn 20', NULL, NULL, true, '2026-02-01 18:30:00.002+05:30', '	
\.
\Nxxxxxxxxxxxxxxxxxxxx');
INSERT INTO public.execution_logs VALUES ('70000019-0000-4000-8000-000000000000', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000003', 's', 'worker_turn_19', 'turn 19', NULL, NULL, true, '2026-02-01 18:30:00.0019+05:30', '	
\.
\Nxxxxxxxxxxxxxxxxxxx');
INSERT INTO public.execution_logs VALUES ('70000018-0000-4000-8000-000000000000', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000003', 's', 'worker_turn_18', 'turn 18', NULL, NULL, true, '2026-02-01 18:30:00.0018+05:30', '	
\.
\Nxxxxxxxxxxxxxxxxxx');
INSERT INTO public.execution_logs VALUES ('70000017-0000-4000-8000-000000000000', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000003', 's', 'worker_turn_17', 'turn 17', NULL, NULL, true, '2026-02-01 18:30:00.0017+05:30', '	
\.
\Nxxxxxxxxxxxxxxxxx');
INSERT INTO public.execution_logs VALUES ('70000016-0000-4000-8000-000000000000', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000003', 's', 'worker_turn_16', 'turn 16', NULL, NULL, true, '2026-02-01 18:30:00.0016+05:30', '	
\.
\Nxxxxxxxxxxxxxxxx');
INSERT INTO public.execution_logs VALUES ('70000015-0000-4000-8000-000000000000', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000003', 's', 'worker_turn_15', 'turn 15', NULL, NULL, true, '2026-02-01 18:30:00.0015+05:30', '	
\.
\Nxxxxxxxxxxxxxxx');
INSERT INTO public.execution_logs VALUES ('70000014-0000-4000-8000-000000000000', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000003', 's', 'worker_turn_14', 'turn 14', NULL, NULL, true, '2026-02-01 18:30:00.0014+05:30', '	
\.
\Nxxxxxxxxxxxxxx');
INSERT INTO public.execution_logs VALUES ('70000013-0000-4000-8000-000000000000', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000003', 's', 'worker_turn_13', 'turn 13', NULL, NULL, true, '2026-02-01 18:30:00.0013+05:30', '	
\.
\Nxxxxxxxxxxxxx');
INSERT INTO public.execution_logs VALUES ('70000012-0000-4000-8000-000000000000', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000003', 's', 'worker_turn_12', 'turn 12', NULL, NULL, true, '2026-02-01 18:30:00.0012+05:30', '	
\.
\Nxxxxxxxxxxxx');
INSERT INTO public.execution_logs VALUES ('70000011-0000-4000-8000-000000000000', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000003', 's', 'worker_turn_11', 'turn 11', NULL, NULL, true, '2026-02-01 18:30:00.0011+05:30', '	
\.
\Nxxxxxxxxxxx');
INSERT INTO public.execution_logs VALUES ('70000010-0000-4000-8000-000000000000', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000003', 's', 'worker_turn_10', 'turn 10', NULL, NULL, true, '2026-02-01 18:30:00.001+05:30', '	
\.
\Nxxxxxxxxxx');
INSERT INTO public.execution_logs VALUES ('70000009-0000-4000-8000-000000000000', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000003', 's', 'worker_turn_9', 'turn 9', NULL, NULL, true, '2026-02-01 18:30:00.0009+05:30', '	
\.
\Nxxxxxxxxx');
INSERT INTO public.execution_logs VALUES ('70000008-0000-4000-8000-000000000000', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000003', 's', 'worker_turn_8', 'turn 8', NULL, NULL, true, '2026-02-01 18:30:00.0008+05:30', '	
\.
\Nxxxxxxxx');
INSERT INTO public.execution_logs VALUES ('70000007-0000-4000-8000-000000000000', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000003', 's', 'worker_turn_7', 'turn 7', NULL, NULL, true, '2026-02-01 18:30:00.0007+05:30', '	
\.
\Nxxxxxxx');
INSERT INTO public.execution_logs VALUES ('70000006-0000-4000-8000-000000000000', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000003', 's', 'worker_turn_6', 'turn 6', NULL, NULL, true, '2026-02-01 18:30:00.0006+05:30', '	
\.
\Nxxxxxx');
INSERT INTO public.execution_logs VALUES ('70000005-0000-4000-8000-000000000000', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000003', 's', 'worker_turn_5', 'turn 5', NULL, NULL, true, '2026-02-01 18:30:00.0005+05:30', NULL);
INSERT INTO public.execution_logs VALUES ('70000004-0000-4000-8000-000000000000', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000003', 's', 'worker_turn_4', 'turn 4', NULL, NULL, true, '2026-02-01 18:30:00.0004+05:30', '	
\.
\Nxxxx');
INSERT INTO public.execution_logs VALUES ('70000003-0000-4000-8000-000000000000', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000003', 's', '', 'turn 3', NULL, NULL, true, '2026-02-01 18:30:00.0003+05:30', '	
\.
\Nxxx');
INSERT INTO public.execution_logs VALUES ('70000002-0000-4000-8000-000000000000', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000003', 's', 'worker_turn_2', 'turn 2', NULL, NULL, false, '2026-02-01 18:30:00.0002+05:30', '	
\.
\Nxx');
INSERT INTO public.execution_logs VALUES ('70000001-0000-4000-8000-000000000000', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000003', 's', 'worker_turn_1', 'turn 1', NULL, NULL, true, '2026-02-01 18:30:00.0001+05:30', '	
\.
\Nx');


--
-- Data for Name: graphs; Type: TABLE DATA; Schema: public; Owner: tera
--

INSERT INTO public.graphs VALUES ('20000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', '[{"id": "node-1", "data": {"tech": ["c"], "label": "A\tP\"I\\", "ports": [], "security": []}, "type": "api", "position": {"x": 1.5, "y": -2}}, {"data": {"id": "node-2", "label": "old"}}, "no node", {"id": "node-1"}]', '[{"id": "edge-1", "data": {}, "source": "node-1", "target": "node-2"}]', 7, '2026-02-01 15:30:00+05:30', '2026-02-01 16:30:00+05:30');
INSERT INTO public.graphs VALUES ('20000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000001', '[]', '[]', 1, '2026-02-05 15:30:00+05:30', '2026-02-05 15:30:00+05:30');


--
-- Data for Name: kanban_boards; Type: TABLE DATA; Schema: public; Owner: tera
--

INSERT INTO public.kanban_boards VALUES ('30000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', '[{"id": "backlog", "order": 0, "title": "Back\nlog"}, {"id": "col_1700000000000", "order": 1, "title": "Ideas"}, {"id": "done", "order": 2, "title": "Done"}]', '2026-02-01 15:30:00+05:30', '2026-02-01 15:30:00+05:30');


--
-- Data for Name: notes; Type: TABLE DATA; Schema: public; Owner: tera
--

INSERT INTO public.notes VALUES ('60000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', 'node-1, node-2,node-1,', NULL, 'n', 'c	c\', '2026-02-01 15:30:00+05:30', '2026-02-01 15:30:00+05:30');
INSERT INTO public.notes VALUES ('60000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000001', NULL, 'edge-1', NULL, NULL, '2026-02-01 15:30:01+05:30', '2026-02-01 15:30:01+05:30');


--
-- Data for Name: pr_review_comments; Type: TABLE DATA; Schema: public; Owner: tera
--

INSERT INTO public.pr_review_comments VALUES ('90000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000003', 12, 12345678901, 'ann', 'please
\rename', '2026-02-01 19:30:00+05:30', NULL, '2026-02-01 19:35:00+05:30', '2026-02-01 19:35:00+05:30');
INSERT INTO public.pr_review_comments VALUES ('90000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000001', NULL, 12, 12345678900, 'bot', 'done <!-- terarchitect-bot -->', '2026-02-01 19:29:00+05:30', '2026-02-01 19:35:00+05:30', '2026-02-01 19:35:00+05:30', '2026-02-01 19:35:00+05:30');
INSERT INTO public.pr_review_comments VALUES ('90000000-0000-4000-8000-000000000003', '10000000-0000-4000-8000-000000000001', NULL, 99, 5, 'eve', 'of no pull request', NULL, NULL, '2026-02-01 19:35:00+05:30', '2026-02-01 19:35:00+05:30');


--
-- Data for Name: projects; Type: TABLE DATA; Schema: public; Owner: tera
--

INSERT INTO public.projects VALUES ('10000000-0000-4000-8000-000000000002', 'later', NULL, '/srv/later', NULL, 'local', '2026-02-02 15:30:00+05:30', '2026-02-02 15:30:00+05:30');
INSERT INTO public.projects VALUES ('10000000-0000-4000-8000-000000000001', 'sh\op "1"	<b>', 'line one
line two
\N \. \\ ''q'' $$ ; --é😀', NULL, 'https://bot:s3cret@github.com/acme/shop.git', 'docker', '2026-02-01 15:30:00.123456+05:30', '2026-02-03 15:30:00+05:30');


--
-- Data for Name: prs; Type: TABLE DATA; Schema: public; Owner: tera
--

INSERT INTO public.prs VALUES ('80000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000003', 12, 'https://github.com/acme/shop/pull/12', NULL, '2026-02-01 19:00:00+05:30');
INSERT INTO public.prs VALUES ('80000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000001', 11, 'https://github.com/acme/shop/pull/11', NULL, '2026-02-01 17:00:00+05:30');


--
-- Data for Name: rag_embeddings; Type: TABLE DATA; Schema: public; Owner: tera
--

INSERT INTO public.rag_embeddings VALUES ('2797e7cd-58c8-4d94-acd3-0f50963f22de', '10000000-0000-4000-8000-000000000001', 'note', '60000000-0000-4000-8000-000000000001', 'x
y', '{0.5,1e-05}', '2026-11-26 03:29:34.401798+05:30');


--
-- Data for Name: settings; Type: TABLE DATA; Schema: public; Owner: tera
--

INSERT INTO public.settings VALUES ('5132e224-32b0-48ab-b23c-554b06122cab', '10000000-0000-4000-8000-000000000001', 'k', '{"a": 1}', '2026-11-26 03:29:34.399984+05:30', '2026-11-26 03:29:34.399984+05:30');


--
-- Data for Name: ticket_comments; Type: TABLE DATA; Schema: public; Owner: tera
--

INSERT INTO public.ticket_comments VALUES ('50000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000001', 'a\comment', true, '2026-02-01 16:30:00+05:30');


--
-- Data for Name: tickets; Type: TABLE DATA; Schema: public; Owner: tera
--

INSERT INTO public.tickets VALUES ('40000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000001', 'in_progress', 'runs', NULL, NULL, NULL, 'high', 'todo', '2026-02-01 17:30:00+05:30', '2026-02-01 17:30:00+05:30');
INSERT INTO public.tickets VALUES ('40000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', 'done', 'Project setup', 'text', '["*"]', '["*"]', 'medium', 'completed', '2026-02-01 16:30:00.000001+05:30', '2026-02-01 17:00:00+05:30');
INSERT INTO public.tickets VALUES ('40000000-0000-4000-8000-000000000003', '10000000-0000-4000-8000-000000000001', 'in_review', 'über	tab', 'a\b
c', '["node-1"]', '[]', 'low', 'completed', '2026-02-01 18:30:00+05:30', '2026-02-01 18:30:00+05:30');
INSERT INTO public.tickets VALUES ('40000000-0000-4000-8000-000000000004', '10000000-0000-4000-8000-000000000001', 'col_1700000000000', 'idea', '', '[]', '[]', NULL, NULL, '2026-02-01 19:30:00+05:30', '2026-02-01 19:30:00+05:30');
INSERT INTO public.tickets VALUES ('40000000-0000-4000-8000-000000000005', '10000000-0000-4000-8000-000000000002', '6f1e0000-0000-4000-8000-000000000000', 'lost column', NULL, '[]', '[]', 'medium', 'todo', '2026-02-02 19:30:00+05:30', '2026-02-02 19:30:00+05:30');
INSERT INTO public.tickets VALUES ('40000000-0000-4000-8000-000000000006', '10000000-0000-4000-8000-000000000002', 'in_progress', 'waits', NULL, '[]', '[]', 'medium', 'todo', '2026-02-02 20:30:00+05:30', '2026-02-02 20:30:00+05:30');


--
-- Name: agent_jobs agent_jobs_pkey; Type: CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.agent_jobs
    ADD CONSTRAINT agent_jobs_pkey PRIMARY KEY (id);


--
-- Name: app_settings app_settings_key_key; Type: CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.app_settings
    ADD CONSTRAINT app_settings_key_key UNIQUE (key);


--
-- Name: app_settings app_settings_pkey; Type: CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.app_settings
    ADD CONSTRAINT app_settings_pkey PRIMARY KEY (id);


--
-- Name: execution_logs execution_logs_pkey; Type: CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.execution_logs
    ADD CONSTRAINT execution_logs_pkey PRIMARY KEY (id);


--
-- Name: graphs graphs_pkey; Type: CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.graphs
    ADD CONSTRAINT graphs_pkey PRIMARY KEY (id);


--
-- Name: kanban_boards kanban_boards_pkey; Type: CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.kanban_boards
    ADD CONSTRAINT kanban_boards_pkey PRIMARY KEY (id);


--
-- Name: notes notes_pkey; Type: CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.notes
    ADD CONSTRAINT notes_pkey PRIMARY KEY (id);


--
-- Name: pr_review_comments pr_review_comments_pkey; Type: CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.pr_review_comments
    ADD CONSTRAINT pr_review_comments_pkey PRIMARY KEY (id);


--
-- Name: pr_review_comments pr_review_comments_project_id_pr_number_github_comment_id_key; Type: CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.pr_review_comments
    ADD CONSTRAINT pr_review_comments_project_id_pr_number_github_comment_id_key UNIQUE (project_id, pr_number, github_comment_id);


--
-- Name: projects projects_pkey; Type: CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.projects
    ADD CONSTRAINT projects_pkey PRIMARY KEY (id);


--
-- Name: prs prs_pkey; Type: CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.prs
    ADD CONSTRAINT prs_pkey PRIMARY KEY (id);


--
-- Name: rag_embeddings rag_embeddings_pkey; Type: CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.rag_embeddings
    ADD CONSTRAINT rag_embeddings_pkey PRIMARY KEY (id);


--
-- Name: settings settings_pkey; Type: CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (id);


--
-- Name: settings settings_project_id_key_key; Type: CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.settings
    ADD CONSTRAINT settings_project_id_key_key UNIQUE (project_id, key);


--
-- Name: ticket_comments ticket_comments_pkey; Type: CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.ticket_comments
    ADD CONSTRAINT ticket_comments_pkey PRIMARY KEY (id);


--
-- Name: tickets tickets_pkey; Type: CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.tickets
    ADD CONSTRAINT tickets_pkey PRIMARY KEY (id);


--
-- Name: tickets_board; Type: INDEX; Schema: public; Owner: tera
--

CREATE INDEX tickets_board ON public.tickets USING btree (project_id, column_id);


--
-- Name: tickets tickets_touch; Type: TRIGGER; Schema: public; Owner: tera
--

CREATE TRIGGER tickets_touch BEFORE UPDATE ON public.tickets FOR EACH ROW EXECUTE FUNCTION public.touch();


--
-- Name: agent_jobs agent_jobs_project_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.agent_jobs
    ADD CONSTRAINT agent_jobs_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id);


--
-- Name: agent_jobs agent_jobs_ticket_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.agent_jobs
    ADD CONSTRAINT agent_jobs_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES public.tickets(id);


--
-- Name: execution_logs execution_logs_project_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.execution_logs
    ADD CONSTRAINT execution_logs_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id) ON DELETE CASCADE;


--
-- Name: execution_logs execution_logs_ticket_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.execution_logs
    ADD CONSTRAINT execution_logs_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES public.tickets(id) ON DELETE CASCADE;


--
-- Name: graphs graphs_project_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.graphs
    ADD CONSTRAINT graphs_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id) ON DELETE CASCADE;


--
-- Name: kanban_boards kanban_boards_project_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.kanban_boards
    ADD CONSTRAINT kanban_boards_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id) ON DELETE CASCADE;


--
-- Name: notes notes_project_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.notes
    ADD CONSTRAINT notes_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id) ON DELETE CASCADE;


--
-- Name: pr_review_comments pr_review_comments_project_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.pr_review_comments
    ADD CONSTRAINT pr_review_comments_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id) ON DELETE CASCADE;


--
-- Name: pr_review_comments pr_review_comments_ticket_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.pr_review_comments
    ADD CONSTRAINT pr_review_comments_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES public.tickets(id) ON DELETE SET NULL;


--
-- Name: prs prs_project_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.prs
    ADD CONSTRAINT prs_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id) ON DELETE CASCADE;


--
-- Name: prs prs_ticket_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.prs
    ADD CONSTRAINT prs_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES public.tickets(id) ON DELETE CASCADE;


--
-- Name: rag_embeddings rag_embeddings_project_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.rag_embeddings
    ADD CONSTRAINT rag_embeddings_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id) ON DELETE CASCADE;


--
-- Name: settings settings_project_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.settings
    ADD CONSTRAINT settings_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id) ON DELETE CASCADE;


--
-- Name: ticket_comments ticket_comments_ticket_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.ticket_comments
    ADD CONSTRAINT ticket_comments_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES public.tickets(id) ON DELETE CASCADE;


--
-- Name: tickets tickets_project_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: tera
--

ALTER TABLE ONLY public.tickets
    ADD CONSTRAINT tickets_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id) ON DELETE CASCADE;


--
-- PostgreSQL database dump complete
--

\unrestrict ps99zKjwLtyQDqkFCfjc7qPK3Cy1zok8tXM0aKk6jrF7mtQ1QBS9euS8zoJfNsj

