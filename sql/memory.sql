-- What agents keep of a project: passages of text, found by their words (the
-- full-text index of SQLite, ranked by BM25).

-- :define api_project
SELECT id AS ":project" FROM project WHERE id = :in ->> 'project' AND deleted_at IS NULL;
SELECT refuse(66, 'no such project: ' || (:in ->> 'project')) WHERE :project IS NULL;

-- :define passages
$(api_project)
SELECT refuse(65, 'docs: want a list of texts that is not empty') WHERE json_type(:in, '$.docs') IS NOT 'array' OR json_array_length(:in, '$.docs') = 0
  OR EXISTS (SELECT 1 FROM json_each(:in, '$.docs') WHERE type <> 'text');

-- A passage is kept once: it is looked for by all its words in their order.
-- :verb memory.add WRITE WORKER AGENT
-- :in project:text! docs:any
$(passages)
INSERT INTO memory(project_id, text) SELECT DISTINCT :project, d.value FROM json_each(:in, '$.docs') d WHERE trim(d.value) <> ''
  AND NOT EXISTS (SELECT 1 FROM memory m WHERE m.memory MATCH 'text : "' || replace(d.value, '"', '""') || '"' AND m.project_id = :project AND m.text = d.value);
SELECT json_object('message', 'indexed', 'count', json_array_length(:in, '$.docs')) AS json;

-- :verb memory.remove WRITE WORKER AGENT
-- :in project:text! docs:any
$(passages)
DELETE FROM memory WHERE project_id = :project AND text IN (SELECT value FROM json_each(:in, '$.docs'));
SELECT json_object('message', 'deleted', 'count', json_array_length(:in, '$.docs')) AS json;

-- A question's words, each as a phrase, any of which will do.  Blanks of all
-- sorts part them; what is no word matches nothing.
-- :define question
(SELECT group_concat('"' || replace(w.value, '"', '""') || '"', ' OR ')
  FROM json_each('[' || replace(json_quote(replace(replace(replace(q.value, char(10), ' '), char(9), ' '), char(13), ' ')), ' ', '","') || ']') w WHERE w.value <> '')

-- Less than is wanted: the project's own words, which always matter.
-- :verb memory.find READ WORKER AGENT
-- :in project:text! queries:any num_to_retrieve:int
$(api_project)
SELECT refuse(65, 'queries: want a list of texts that is not empty') WHERE json_type(:in, '$.queries') IS NOT 'array' OR json_array_length(:in, '$.queries') = 0
  OR EXISTS (SELECT 1 FROM json_each(:in, '$.queries') WHERE type <> 'text');
SELECT min(max(coalesce(CAST(:in ->> 'num_to_retrieve' AS INTEGER), 5), 1), 100) AS ":n", name || coalesce(char(10) || description, '') AS ":about" FROM project WHERE id = :project;
SELECT json_object('results', (SELECT json_group_array(json(j)) FROM (
  SELECT json_object('question', q.value,
    'docs', json((SELECT json_group_array(text) FROM (SELECT text FROM (SELECT text, bm25(memory) AS score FROM memory WHERE memory MATCH coalesce($(question), '""') AND project_id = :project UNION ALL SELECT :about, 0.0) ORDER BY score LIMIT :n))),
    'doc_scores', json((SELECT json_group_array(-score) FROM (SELECT score FROM (SELECT text, bm25(memory) AS score FROM memory WHERE memory MATCH coalesce($(question), '""') AND project_id = :project UNION ALL SELECT :about, 0.0) ORDER BY score LIMIT :n)))) AS j
  FROM json_each(:in, '$.queries') q ORDER BY q.key))) AS json;
