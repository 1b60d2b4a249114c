-- SPDX-License-Identifier: Apache-2.0
-- Wide views of a table that pilake keeps: a column a tag, for tools that want it so. Rows stay as they are; Spark and
-- Databricks compute a view when it is read. Put your table for plant.raw.pi_timeseries, and your tags into the lists.

-- A row a minute: the mean of the events within. A minute in which a tag has no event, or none with a number, is empty.
CREATE OR REPLACE TEMPORARY VIEW pi_minutes AS
SELECT * FROM (
  SELECT date_trunc('MINUTE', timestamp) AS minute, tag_name, value
  FROM plant.raw.pi_timeseries
  WHERE tag_name IN ('U1.FIC101.PV', 'U1.TI102.PV')
)
PIVOT (avg(value) FOR tag_name IN ('U1.FIC101.PV' AS fic101, 'U1.TI102.PV' AS ti102));

-- A row an event, of any of the tags: what each of them was then. A digital tag shows the
-- name of its state; a number that is not there, because the tag is in a state such as "I/O Timeout", is empty.
CREATE OR REPLACE TEMPORARY VIEW pi_states AS
SELECT timestamp_100ns, max(timestamp) AS timestamp,
  (last(max_by(struct(value), ordinal) FILTER (WHERE tag_name = 'U1.FIC101.PV'), true) OVER until_now).value AS fic101,
  (last(max_by(struct(value_string), ordinal) FILTER (WHERE tag_name = 'U1.XV103.PV'), true) OVER until_now)
    .value_string AS xv103
FROM plant.raw.pi_timeseries
WHERE tag_name IN ('U1.FIC101.PV', 'U1.XV103.PV')
GROUP BY timestamp_100ns
WINDOW until_now AS (ORDER BY timestamp_100ns);
