-- What waits in a commune, for whom and until when: one branch for each kind of work. src/worklist reads it, and the
-- clock reminds of it. Always ask for one commune: each branch has an index for that.
CREATE VIEW work_items AS
WITH open_initiatives AS (
    SELECT i.*, o.id IS NOT NULL AS has_opinion
    FROM initiatives AS i
    LEFT JOIN opinions AS o ON (o.id, o.commune_code) = (i.opinion_id, i.commune_code)
        AND o.submission_number = i.submission_number
    WHERE i.state IN ('submitted', 'in_review', 'changes_requested', 'accepted', 'completed')
        -- what was completed before this system was there asks for nothing
        AND i.past_state IS DISTINCT FROM 'completed'
)
SELECT w.commune_code, w.kind, w.subject, w.subject_id, i.id AS initiative_id, i.title, c.title AS commitment,
    coalesce(h.holder_id, i.holder_id) AS holder_id, i.host_id, w.waits_for, w.user_id, w.due_on, coalesce(w.due_on, '9999-12-31'::date) AS sorted_on, w.since
FROM (
    SELECT commune_code, CASE WHEN has_opinion THEN 'decide' ELSE 'instruct' END AS kind, 'initiative' AS subject,
        id AS subject_id, id AS initiative_id,
        CASE WHEN has_opinion THEN 'elected_official' ELSE 'agent' END AS waits_for, NULL::uuid AS user_id,
        reply_due_on AS due_on, state_changed_at AS since
    FROM open_initiatives WHERE state IN ('submitted', 'in_review')
    UNION ALL
    SELECT commune_code, 'answer', 'initiative', id, id, 'holder', NULL, (reply_paused_on + interval '6 months')::date,
        state_changed_at
    FROM open_initiatives WHERE state = 'changes_requested'
    UNION ALL
    -- accepted, and no convention that anybody could sign
    SELECT commune_code, 'prepare', 'initiative', id, id, 'agent', NULL, NULL, state_changed_at
    FROM open_initiatives AS i
    WHERE state = 'accepted' AND NOT EXISTS (
        SELECT FROM conventions AS v
        WHERE (v.initiative_id, v.commune_code) = (i.id, i.commune_code) AND v.state = 'open_for_signature'
    )
    UNION ALL
    SELECT i.commune_code,
        CASE WHEN e.id IS NULL THEN 'evaluate' WHEN e.agreed_at IS NULL THEN 'agree_evaluation'
            WHEN e.validated_at IS NULL THEN 'validate' ELSE 'close' END,
        'initiative', i.id, i.id,
        CASE WHEN e.id IS NULL OR e.validated_at IS NOT NULL THEN 'agent' WHEN e.agreed_at IS NULL THEN 'holder'
            ELSE 'elected_official' END,
        NULL, CASE WHEN e.id IS NOT NULL AND e.agreed_at IS NULL
            THEN (greatest(e.worded_at, i.state_changed_at) AT TIME ZONE 'Europe/Paris')::date + 30 END,
        greatest(i.state_changed_at, e.worded_at, e.agreed_at, e.validated_at)
    FROM open_initiatives AS i
    LEFT JOIN evaluations AS e ON (e.initiative_id, e.commune_code) = (i.id, i.commune_code)
    WHERE i.state = 'completed'
    UNION ALL
    SELECT c.commune_code, 'agree', 'commitment', c.id, c.initiative_id,
        CASE c.proposed_side WHEN 'commune' THEN 'holder' ELSE 'agent' END, NULL, NULL, c.state_changed_at
    FROM commitments AS c JOIN initiatives AS i ON (i.id, i.commune_code) = (c.initiative_id, c.commune_code)
    WHERE c.state = 'proposed' AND i.state NOT IN ('draft', 'submitted')
    UNION ALL
    -- what is promised for a day: money of the commune is paid, the rest is done
    SELECT commune_code, CASE WHEN side = 'commune' AND kind = 'financial' THEN 'pay' ELSE 'fulfil' END, 'commitment', id,
        initiative_id, CASE side WHEN 'commune' THEN 'agent' WHEN 'host' THEN 'host' ELSE 'holder' END, NULL, due_on,
        state_changed_at
    FROM commitments WHERE state IN ('binding', 'partially_fulfilled') AND due_on IS NOT NULL
    UNION ALL
    -- and upkeep that was not done on its day is caught up
    SELECT c.commune_code, 'fulfil', 'commitment', c.id, c.initiative_id,
        CASE c.side WHEN 'commune' THEN 'agent' WHEN 'host' THEN 'host' ELSE 'holder' END, NULL, k.occurs_on, k.checked_at
    FROM upkeep_checks AS k JOIN commitments AS c ON (c.id, c.commune_code) = (k.commitment_id, k.commune_code)
    WHERE k.outcome = 'not_done' AND c.state = 'binding' AND NOT EXISTS (
        SELECT FROM upkeep_checks AS d
        WHERE (d.commitment_id, d.commune_code, d.occurs_on, d.outcome) = (k.commitment_id, k.commune_code, k.occurs_on, 'done')
    )
    UNION ALL
    -- upkeep is looked after once a season by the side that it is promised to
    SELECT c.commune_code, 'check', 'commitment', c.id, c.initiative_id, CASE c.side WHEN 'commune' THEN 'holder' ELSE 'agent' END,
        NULL, (coalesce(k.last_on, c.upkeep_starts_on) + interval '3 months')::date, c.state_changed_at
    FROM commitments AS c
    LEFT JOIN LATERAL (
        SELECT max(occurs_on) AS last_on FROM upkeep_checks
        WHERE (commitment_id, commune_code) = (c.id, c.commune_code)
    ) AS k ON true
    WHERE c.state = 'binding' AND c.upkeep_starts_on IS NOT NULL
        AND (coalesce(k.last_on, c.upkeep_starts_on) + interval '3 months')::date <= c.upkeep_ends_on
    UNION ALL
    -- thirty days of silence acknowledge; a dispute waits for an elected official
    SELECT f.commune_code, CASE f.state WHEN 'recorded' THEN 'acknowledge' ELSE 'settle' END, 'fulfilment', f.id,
        c.initiative_id,
        CASE WHEN f.state = 'disputed' THEN 'elected_official' WHEN c.side = 'commune' THEN 'holder' ELSE 'agent' END, NULL,
        CASE f.state WHEN 'recorded' THEN (f.recorded_at AT TIME ZONE 'Europe/Paris')::date + 30 END,
        coalesce(f.answered_at, f.recorded_at)
    FROM fulfilments AS f JOIN commitments AS c ON (c.id, c.commune_code) = (f.commitment_id, f.commune_code)
    WHERE f.state IN ('recorded', 'disputed')
    UNION ALL
    SELECT v.commune_code, 'sign', 'convention', v.id, v.initiative_id,
        CASE p.party WHEN 'commune' THEN 'elected_official' ELSE p.party END, p.user_id, v.starts_on, v.opened_at
    FROM conventions AS v
    JOIN convention_parties AS p ON (p.convention_id, p.commune_code) = (v.id, v.commune_code)
    WHERE v.state = 'open_for_signature' AND NOT EXISTS (
        SELECT FROM signatures AS s
        WHERE (s.convention_id, s.commune_code, s.party) = (p.convention_id, p.commune_code, p.party) AND s.voided_at IS NULL
    ) AND NOT (p.party = 'commune' AND stands_aside(p.user_id, v.initiative_id, v.commune_code))
    UNION ALL
    -- somebody else is to sign for the commune
    SELECT v.commune_code, 'replace_signatory', 'convention', v.id, v.initiative_id, 'agent', NULL, v.starts_on, v.opened_at
    FROM conventions AS v
    JOIN convention_parties AS p ON (p.convention_id, p.commune_code) = (v.id, v.commune_code)
    WHERE v.state = 'open_for_signature' AND p.party = 'commune' AND stands_aside(p.user_id, v.initiative_id, v.commune_code)
    UNION ALL
    SELECT commune_code, 'resume', 'convention', id, initiative_id, 'elected_official', NULL, NULL, state_changed_at
    FROM conventions WHERE state = 'suspended'
    UNION ALL
    -- an upkeep that another holder is asked to take over
    SELECT commune_code, 'take_over', 'hand_over', id, NULL, 'holder', NULL, starts_on, offered_at
    FROM upkeep_hand_overs WHERE state = 'offered'
    UNION ALL
    -- what was recorded in an official's name is theirs to look at while they may contest it
    SELECT d.commune_code, 'contest', 'initiative', d.initiative_id, d.initiative_id, 'elected_official', d.decided_by,
        contestable_until(d.decided_at), d.decided_at
    FROM decisions AS d
    JOIN initiatives AS i ON (i.id, i.commune_code, i.decision_id) = (d.initiative_id, d.commune_code, d.id)
    WHERE d.recorded_by IS NOT NULL AND d.contested_at IS NULL AND i.state IN ('accepted', 'refused')
    UNION ALL
    SELECT s.commune_code, 'contest', 'convention', s.convention_id, v.initiative_id, 'elected_official', s.user_id,
        contestable_until(s.signed_at), s.signed_at
    FROM signatures AS s
    JOIN conventions AS v ON (v.id, v.commune_code) = (s.convention_id, s.commune_code)
    WHERE s.party = 'commune' AND s.recorded_by IS NOT NULL AND s.contested_at IS NULL AND s.voided_at IS NULL
        AND v.state IN ('open_for_signature', 'active')
    UNION ALL
    SELECT commune_code, 'contest', 'recusal', id, initiative_id, 'town_hall', user_id,
        contestable_until(recused_at), recused_at
    FROM recusals WHERE recorded_by IS NOT NULL AND contested_at IS NULL
    UNION ALL
    SELECT commune_code, 'renew', 'convention', id, initiative_id, 'agent', NULL, ends_on, activated_at
    FROM conventions WHERE state IN ('active', 'suspended')
) AS w
LEFT JOIN fulfilments AS f ON w.subject = 'fulfilment' AND (f.id, f.commune_code) = (w.subject_id, w.commune_code)
LEFT JOIN upkeep_hand_overs AS h ON w.subject = 'hand_over' AND (h.id, h.commune_code) = (w.subject_id, w.commune_code)
LEFT JOIN commitments AS c ON (c.id, c.commune_code) = (CASE w.subject WHEN 'commitment' THEN w.subject_id
    WHEN 'fulfilment' THEN f.commitment_id WHEN 'hand_over' THEN h.commitment_id END, w.commune_code)
JOIN initiatives AS i ON (i.id, i.commune_code) = (coalesce(w.initiative_id, c.initiative_id), w.commune_code);

-- The branches of the view by commune.
CREATE INDEX commitments_open ON commitments (commune_code, due_on)
    WHERE state IN ('proposed', 'binding', 'partially_fulfilled');
CREATE INDEX upkeep_hand_overs_open ON upkeep_hand_overs (commune_code) WHERE state = 'offered';
CREATE INDEX fulfilments_open ON fulfilments (commune_code) WHERE state IN ('recorded', 'disputed');
CREATE INDEX conventions_open ON conventions (commune_code, ends_on)
    WHERE state IN ('open_for_signature', 'active', 'suspended');

-- What the clock has said already: each piece of work is announced once before its day and once after it.
CREATE TABLE reminders (
    commune_code text NOT NULL REFERENCES communes (code),
    initiative_id uuid NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    subject_id uuid NOT NULL,
    waits_for text NOT NULL,
    -- a new day is a new deadline
    due_on date NOT NULL,
    stage text NOT NULL CONSTRAINT reminders_stage CHECK (stage IN ('remind', 'overdue')),
    said_on date NOT NULL,
    PRIMARY KEY (subject_id, commune_code, kind, waits_for, due_on, stage),
    FOREIGN KEY (initiative_id, commune_code) REFERENCES initiatives (id, commune_code)
);
CREATE TRIGGER reminders_kept BEFORE UPDATE OR DELETE ON reminders
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
