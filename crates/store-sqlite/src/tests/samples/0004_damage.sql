-- Rows as the version that ended with 0004_damage wrote them.

INSERT INTO projects (key, repository) VALUES
    ('ET', '/repositories/ET');
INSERT INTO definitions (hash, document) VALUES
    ('dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd', '{"version":1,"value":{"name":"delivery","description":"Delivers.","start":"development","limits":{"wall_time":"8h","tokens":1000,"cost_usd":0.30000000000000004},"stages":[]}}');
INSERT INTO pipelines (id, project, number, definition, status, stage, version, epoch, created_at, document) VALUES
    ('pl_00000000000000000000000000000001', 'ET', 1, 'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd', 'running', 'development', 2, 0, 1767225600000000000, '{"version":1,"value":{"id":"pl_00000000000000000000000000000001","project":"ET","item":{"key":{"project":"ET","number":1},"title":"Item 1","description":"As said.\n"},"definition_name":"delivery","definition":"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd","options":{"delivery":"merge","human_gates":true,"agent":"claude"},"branch":"feature/ET-001-item-1","target":"main","created_at":"2026-01-01T00:00:00Z","version":2,"epoch":0,"base":null,"head":null,"attempts":{},"seen":{},"routes":{},"limit_grants":0,"usage":{"input_tokens":0,"output_tokens":0,"cache_read_tokens":0,"cache_creation_tokens":0,"cost_usd":null},"state":{"status":"running","attempt":{"stage":"development","number":1,"started_at":"2026-01-01T00:00:00Z","feedback":{"findings":[{"severity":"blocking","message":"mend it"}]},"step":{"step":"acting"},"candidate":null}}}}');
INSERT INTO inputs (key, pipeline, consumed_at) VALUES
    ('pl_00000000000000000000000000000001/1', 'pl_00000000000000000000000000000001', 1767225600000000000);
INSERT INTO inputs (key, pipeline, consumed_at) VALUES
    ('pl_00000000000000000000000000000001/2', 'pl_00000000000000000000000000000001', 1767225600000000000);
INSERT INTO jobs (id, pipeline, project, slot, epoch, stage, attempt, round, work, kind, commit_sha, agent, exclusive, priority, failures, transient_failures, losses, claims, state, available_at, lease_owner, lease_token, lease_expires_at, last_error, created_at, damaged, holds) VALUES
    ('job_00000000000000000000000000000001', 'pl_00000000000000000000000000000001', 'ET', '0/development/1/1/agent:developer', 0, 'development', 1, 1, '{"version":1,"value":{"type":"agent","role":"developer"}}', 'agent', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'claude', 0, 0, 0, 0, 0, 1, 'running', NULL, 'worker', 1, 1767225630000000000, NULL, 1767225600000000000, NULL, 2);
INSERT INTO jobs (id, pipeline, project, slot, epoch, stage, attempt, round, work, kind, commit_sha, agent, exclusive, priority, failures, transient_failures, losses, claims, state, available_at, lease_owner, lease_token, lease_expires_at, last_error, created_at, damaged, holds) VALUES
    ('job_00000000000000000000000000000002', 'pl_00000000000000000000000000000001', 'ET', '0/development/1/2/gate:tests', 0, 'development', 1, 2, '{"version":1,"value":{"type":"gate","gate":"tests"}}', 'gate', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', NULL, 0, 0, 0, 0, 0, 0, 'queued', 1767225600000000000, NULL, NULL, NULL, NULL, 1767225600000000000, NULL, 0);
INSERT INTO timers (pipeline, timer, at) VALUES
    ('pl_00000000000000000000000000000001', 'wall_time', 1767225660000000000);
INSERT INTO decisions (id, pipeline, state, opened_at, document) VALUES
    ('dec_00000000000000000000000000000001', 'pl_00000000000000000000000000000001', 'open', 1767225600000000000, '{"version":1,"value":{"id":"dec_00000000000000000000000000000001","pipeline":"pl_00000000000000000000000000000001","kind":"approval","question":"May it?","show":["plan.md"],"commit":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","options":["approve","reject"],"opened_at":"2026-01-01T00:00:00Z","state":{"state":"open"}}}');
INSERT INTO runs (id, job, pipeline, launched_at, ended_at, document) VALUES
    ('run_00000000000000000000000000000001', 'job_00000000000000000000000000000001', 'pl_00000000000000000000000000000001', 1767225603000000000, NULL, '{"version":1,"value":{"id":"run_00000000000000000000000000000001","job":"job_00000000000000000000000000000001","pipeline":"pl_00000000000000000000000000000001","stage":"development","attempt":1,"role":"developer","agent":"claude","launched_at":"2026-01-01T00:00:03Z","ended_at":null,"session":null,"usage":{"input_tokens":7,"output_tokens":0,"cache_read_tokens":0,"cache_creation_tokens":0,"cost_usd":0.30000000000000004},"outcome":null,"left":null}}');
INSERT INTO verdicts (id, pipeline, gate, tree, document) VALUES
    (1, 'pl_00000000000000000000000000000001', 'tests', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '{"version":1,"value":{"gate":"tests","commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","tree":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","outcome":"pass","findings":[{"severity":"blocking","path":"src/lib.rs","message":"it is wrong"}],"summary":"It is a pass.","started_at":"2026-01-01T00:00:01Z","finished_at":"2026-01-01T00:00:02Z"}}');
INSERT INTO events (seq, pipeline, number, version, at, kind, document) VALUES
    (1, 'pl_00000000000000000000000000000001', 1, 2, 1767225600000000000, 'stage_entered', '{"version":1,"value":{"actor":{"type":"engine"},"kind":{"event":"stage_entered","stage":"development","attempt":1}}}');
INSERT INTO outbox (id, destination, event, state, due_at, version, document, damaged) VALUES
    ('ltr_00000000000000000000000000000001', 'log', 1, 'queued', 1767225660000000000, 2, '{"version":1,"value":{"item":{"project":"ET","number":1},"title":"Item 1","failures":1,"lost":0,"state":{"state":"queued","available_at":"2026-01-01T00:01:00Z"},"last_error":"it is away"}}', NULL);
INSERT INTO outbox (id, destination, event, state, due_at, version, document, damaged) VALUES
    ('ltr_00000000000000000000000000000002', 'chat', 1, 'sending', 1767225660000000000, 1, '{"version":1,"value":{"item":{"project":"ET","number":1},"title":"Item 1","failures":0,"lost":0,"state":{"state":"sending","owner":"worker","expires_at":"2026-01-01T00:01:00Z"},"last_error":null}}', NULL);
INSERT INTO outbox (id, destination, event, state, due_at, version, document, damaged) VALUES
    ('ltr_00000000000000000000000000000003', 'hook', 1, 'delivered', NULL, 2, '{"version":1,"value":{"item":{"project":"ET","number":1},"title":"Item 1","failures":0,"lost":0,"state":{"state":"delivered","at":"2026-01-01T00:00:03Z","remote":"7"},"last_error":null}}', NULL);
INSERT INTO outbox (id, destination, event, state, due_at, version, document, damaged) VALUES
    ('ltr_00000000000000000000000000000004', 'mail', 1, 'dead', NULL, 2, '{"version":1,"value":{"item":{"project":"ET","number":1},"title":"Item 1","failures":0,"lost":0,"state":{"state":"dead","at":"2026-01-01T00:00:03Z","why":"no"},"last_error":"no"}}', NULL);
INSERT INTO outbox (id, destination, event, state, due_at, version, document, damaged) VALUES
    ('ltr_00000000000000000000000000000005', 'page', 1, 'dropped', NULL, 3, '{"version":1,"value":{"item":{"project":"ET","number":1},"title":"Item 1","failures":0,"lost":0,"state":{"state":"dropped","at":"2026-01-01T00:00:03Z","by":"ann","reason":"old"},"last_error":"no"}}', NULL);
INSERT INTO breakers (key, version, state, document) VALUES
    ('claude@api.anthropic.com', 3, 'open', '{"version":1,"value":{"state":"open","hold":{"since":"2026-01-01T00:00:00Z","until":"2026-01-01T05:00:00Z","reason":"quota","message":"a quota window of the model provider is spent"}}}');
INSERT INTO damage (source, row, pipeline, what, found_at) VALUES
    ('jobs', 'job_00000000000000000000000000000009', 'pl_00000000000000000000000000000009', 'slot: it is wrong', 1767225600000000000);
