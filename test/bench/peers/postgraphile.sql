-- The same writes in one function, a custom mutation of PostGraphile. Refusals are exceptions.
create function add_ticket_message(
  ticket_id integer, body text, format text default 'TEXT', visibility text default 'PUBLIC',
  is_mobile_device boolean default false, email_from text default null,
  cc text[] default '{}', bcc text[] default '{}',
  idempotency_key text default null
) returns messages language plpgsql volatile as $$
#variable_conflict use_variable
declare
  viewer users;
  t tickets;
  requester users;
  mailbox mailboxes;
  message messages;
  taken idempotency_keys;
  new_delivery integer;
  one integer := case when add_ticket_message.visibility = 'PUBLIC' then 1 else 0 end;
  digest bytea := sha256(convert_to(concat_ws(e'\n', add_ticket_message.ticket_id, add_ticket_message.body,
    format, visibility, email_from, cc, bcc), 'UTF8'));
begin
  select * into viewer from users u where u.id = current_setting('bench.viewer_id')::integer;
  if viewer.id is null then raise exception 'UNAUTHENTICATED'; end if;
  if btrim(body) = '' then raise exception 'INVALID_INPUT'; end if;
  if email_from is not null and visibility = 'PRIVATE' then raise exception 'PRIVATE_WITH_EMAIL'; end if;
  select * into t from tickets where id = add_ticket_message.ticket_id for no key update;
  if t.id is null or (viewer.role <> 'OPERATOR' and t.requester_id <> viewer.id) then
    raise exception 'TICKET_NOT_FOUND';
  end if;
  if viewer.role <> 'OPERATOR' and (email_from is not null or visibility = 'PRIVATE') then
    raise exception 'FORBIDDEN';
  end if;
  if idempotency_key is not null then
    select * into taken from idempotency_keys k where k.user_id = viewer.id and k.key = idempotency_key;
    if found then
      if taken.fingerprint <> digest then raise exception 'IDEMPOTENCY_KEY_REUSED'; end if;
      select * into message from messages where id = taken.message_id;
      return message;
    end if;
  end if;
  insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
    values (t.id, viewer.id, body, format, visibility, is_mobile_device) returning * into message;
  if idempotency_key is not null then
    insert into idempotency_keys (user_id, key, fingerprint, message_id)
      values (viewer.id, idempotency_key, digest, message.id);
  end if;
  if email_from is not null then
    select b.* into mailbox from mailboxes b
      join mailbox_grants g on g.mailbox_id = b.id and g.user_id = viewer.id
      where lower(b.address) = lower(email_from);
    if mailbox.id is null then raise exception 'MAILBOX_NOT_FOUND'; end if;
    if mailbox.disabled_at is not null or mailbox.smtp_url is null then
      raise exception 'MAILBOX_NOT_READY';
    end if;
    select * into requester from users u where u.id = t.requester_id;
    if requester.email is null then raise exception 'RECIPIENT_MISSING'; end if;
    insert into deliveries
        (message_id, ticket_id, mailbox_id, from_address, from_name, subject, rfc_message_id, state)
      values (message.id, t.id, mailbox.id, mailbox.address, mailbox.display_name,
        'Re: ' || t.subject || ' [' || t.reference || ']',
        '<' || gen_random_uuid() || '@' || split_part(mailbox.address, '@', 2) || '>', 'QUEUED')
      returning id into new_delivery;
    insert into delivery_recipients (delivery_id, position, kind, address, name)
      select new_delivery, row_number() over (), r.kind, r.address, r.name
      from (select 'TO' as kind, requester.email as address, requester.name as name
        union all select 'CC', unnest(cc), '' union all select 'BCC', unnest(bcc), '') r;
  end if;
  insert into events (ticket_id, number, public_number, type, visibility, actor_id, message_id, delivery_id)
    values (t.id, t.last_event_number + 1, case when one = 1 then t.last_public_event_number + 1 end,
      'MESSAGE_ADDED', visibility, viewer.id, message.id, new_delivery);
  update tickets set last_message_id = message.id,
      last_public_message_id = case when one = 1 then message.id else last_public_message_id end,
      message_count = message_count + 1, public_message_count = public_message_count + one,
      last_event_number = last_event_number + 1, last_public_event_number = last_public_event_number + one
    where id = t.id;
  return message;
end $$;

-- A message has one delivery at most, which the composite foreign key does not say.
comment on table deliveries is
  E'@foreignKey (message_id) references messages (id)|@foreignSingleFieldName delivery|@fieldName message';

-- The last message is named by no foreign key, and the place in the list is the second column of its index.
comment on table tickets is E'@foreignKey (last_message_id) references messages (id)|@fieldName lastMessage';
comment on column tickets.active_at is E'@behavior orderBy';
