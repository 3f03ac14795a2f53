import { beforeAll, describe, expect, test } from 'vitest'
import { Classifier } from './classify.js'
import { namesWith } from './names.fixture.js'

const classifier = new Classifier()

beforeAll(async () => {
  await classifier.load()
  classifier.setNames(
    namesWith({
      functions: new Set(['create_order', 'audit']),
      relations: new Map([
        ['order_numbers', 'view'],
        ['order_seq', 'sequence'],
      ]),
    }),
  )
})

/** Texts that a splitting proxy or an extension of an ORM sent to a replica, by whose issue threads or in our own trials. */
const sentToReplicas = [
  ['PgDog #623: a function that writes', 'select create_order($1)'],
  ['PgDog, PgCat: a function that writes, in FROM', 'select * from create_order($1) as o (id int)'],
  ['a function that writes, deep inside', 'select id from orders where total > (select avg(audit(total)) from orders)'],
  ['PgCat: nextval', `select nextval('order_seq')`],
  ['PgCat #829: WITH ... INSERT', 'with o as (insert into orders default values returning id) select id from o'],
  [
    'drizzle #4185: WITH ... UPDATE, lower-case and behind another',
    'with a as (select 1), b as (update orders set total = 0 returning id) select * from b',
  ],
  ['PgDog: two statements in one text', 'select 1; insert into orders default values'],
  ['PgDog: a transaction in one text', 'begin; select 1; commit'],
  ['FOR UPDATE at the end', 'select id from orders where id = $1 for update'],
  ['FOR UPDATE in a subquery', 'select * from (select id from orders limit 1 for update skip locked) j'],
  ['a view over a volatile function', 'select * from order_numbers'],
  ['better-auth #5887: a comment in front of an INSERT', '/* app */ insert into orders default values returning id'],
  ['a comment that looks like a SELECT', '-- select\ndelete from orders'],
  ['a parenthesis in front', '(select * from orders for share)'],
  ['SELECT INTO', 'select * into backup from orders'],
  ['EXPLAIN ANALYZE of a write', 'explain analyze delete from orders'],
  ['an advisory lock, which a standby grants and nobody sees', 'select pg_advisory_lock($1)'],
  ['a lock inside of a READ ONLY transaction', 'begin read only; select pg_advisory_xact_lock(1)'],
  ['the last value of a sequence, which a standby has ahead', 'select last_value from order_seq'],
  ['lastval', 'select lastval()'],
  ['set_config', `select set_config('app.tenant', $1, false)`],
  ['DO', 'do $$ begin perform create_order(1); end $$'],
  ['CALL', 'call refresh_totals()'],
  ['PREPARE', 'prepare o as select * from orders'],
  ['WITH HOLD', 'declare c cursor with hold for select * from orders'],
  ['pg_export_snapshot', 'select pg_export_snapshot()'],
  ['COPY of a query', 'copy (select create_order(1)) to stdout'],
  ['a query in a text', `select query_to_xml('select create_order(1)', true, true, '')`],
  ['what the server is', 'select version(), inet_server_addr(), pg_backend_pid()'],
] as const

describe('what others sent to replicas goes to the primary', () => {
  test.each(sentToReplicas)('%s: %s', (_whose, text) => {
    expect(classifier.classify(text).kind).not.toBe('read')
  })
})

/** And texts that they kept from replicas, or that a look for words would keep. */
const keptOnPrimaries = [
  ['a word in a string', `select * from orders where note = 'insert into; for update'`],
  ['a word in a name', 'select "update", "insert" from orders as "delete"'],
  ['a comment in front', '/* traceparent: 00-1 */ select * from orders -- delete'],
  ['WITH that only reads', 'with o as (select * from orders) select count(*) from o'],
  ['a parenthesis in front', '(select 1) union (select 2)'],
  ['TABLE and VALUES', 'with v (a) as (values (1)) table v'],
  ['a column like a command', 'select o.lock, o.call from orders o'],
] as const

describe('what only looks like a write goes to a replica', () => {
  test.each(keptOnPrimaries)('%s: %s', (_what, text) => {
    expect(classifier.classify(text).kind).toBe('read')
  })
})
