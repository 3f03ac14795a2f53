/**
 * SQL for a schema `trap` with a namesake of all that pg_catalog has, as far as one can be made: functions, operators,
 * relations, and the type text. All may be found there, and none may be used: a role whose search_path begins with the schema
 * is refused whatever it asks without naming another, with 42501, also where it would not come to be evaluated.
 */
export const nameTrap = `
create schema trap;
grant usage on schema trap to public;
create function trap.sprung() returns boolean language plpgsql as 'begin return true; end';

do $do$
declare
  body constant pg_catalog.text := $body$ language plpgsql as 'begin end'$body$;
  statement pg_catalog.text;
begin
  for statement in
    select format('create view trap.%1$I as select * from pg_catalog.%1$I', relname)
      from pg_class where relnamespace = 'pg_catalog'::regnamespace and relkind in ('r', 'v')
    union all
    select format('create function trap.%I(%s) returns %s', proname, pg_get_function_arguments(oid), pg_get_function_result(oid)) || body
      from pg_proc where pronamespace = 'pg_catalog'::regnamespace and prokind in ('f', 'a')
    union all
    select format('create function trap.%I(l %s, r %s) returns %s', 'operator ' || name || l || r, l, r, result) || body
        || format('; create operator trap.%s (leftarg = %s, rightarg = %s, function = trap.%I)', name, l, r, 'operator ' || name || l || r)
      from (
        select oprname, oprleft::regtype, oprright::regtype, oprresult::regtype from pg_operator
          where oprnamespace = 'pg_catalog'::regnamespace and oprleft <> 0
        -- Which PostgreSQL has not, and which fit an integer literal better than those that it has.
        union all values ('=', 'oid'::regtype, 'integer'::regtype, 'boolean'::regtype), ('>=', 'oid', 'integer', 'boolean'),
          ('*', 'numeric', 'integer', 'numeric')
      ) operator (name, l, r, result)
  loop
    begin
      execute statement;
    exception when others then
      -- Of a kind that only PostgreSQL itself may have, such as a function of an internal type.
    end;
  end loop;
end $do$;

create domain trap.text as pg_catalog.text check (trap.sprung());
revoke execute on all functions in schema trap from public`
