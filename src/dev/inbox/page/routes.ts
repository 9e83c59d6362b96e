import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Db } from '../../../db/database.ts';
import { dispositionOf } from '../../../http/content-disposition.ts';
import { type Html, html } from '../../../pages/html-template.ts';
import { type PageResponse, sendPage } from '../../../pages/send-page.ts';
import type { MailFile } from '../parse-mail.ts';
import {
  deleteInboxMails,
  findInboxMail,
  type InboxMail,
  type InboxPage,
  listInboxMails,
  markRead,
} from '../store.ts';
import { type InboxAssets, inboxFrame, inboxMain, inboxPolicy, noteMain } from './frame.ts';
import { json, wantsJson } from './json-response.ts';
import { inboxList } from './list.ts';
import { hasRemotePictures, mailDocument, mailDocumentPolicy } from './mail-document.ts';
import { mailView } from './mail-view.ts';
import { mailJson, pageJson } from './mails-as-json.ts';
import { waitForMails } from './wait-for-mails.ts';

interface InboxRequest {
  readonly db: Db;
  readonly assets: InboxAssets;
  /** The path below /inbox/. */
  readonly route: string;
}

const pageSize = 50;
/** Characters. */
const maxSearch = 200;

/**
 * Answers a request of an operator whose rights have been checked. Routes: `` (the page with the list),
 * `list` (the list as a fragment of HTML), `12` (a mail; showing it as HTML marks it as read), `12/html`,
 * `12/source` and `12/files/0`. `` and `12` are also sent as JSON to clients that accept it. The query `q`
 * searches the list. The query `wait` of the JSON list is how many seconds, up to 30, to wait until it has a
 * mail; if none comes, the list is empty. DELETE removes the mail `12`, those that `q` finds, or all, and
 * answers with their number. An unknown route or mail gets 404, an invalid DELETE and an `after` or `before`
 * of the JSON list that is no number 400. The caller has answered methods other than GET, HEAD and DELETE.
 * docs/INBOX.md describes all this for programs.
 * @throws an error of the database
 */
export async function answerInbox(
  req: IncomingMessage,
  res: ServerResponse,
  inbox: InboxRequest,
): Promise<void> {
  sendPage(req, res, await pageFor(req, inbox));
}

async function pageFor(req: IncomingMessage, { db, assets, route }: InboxRequest): Promise<PageResponse> {
  const query = new URL(req.url ?? '/', 'http://inbox').searchParams;
  // No text that PostgreSQL stores has a NUL: one that is searched for is as good as blank.
  const search = (query.get('q') ?? '').replaceAll('\0', '').trim().slice(0, maxSearch);
  const asJson = wantsJson(req);
  if (req.method === 'DELETE') {
    const refusal = route === '' ? whyNotDelete(query) : undefined;
    if (refusal !== undefined) return json({ message: refusal }, 400);
    // A blank search is taken for a client's mistake. It finds nothing, so that it cannot delete everything.
    if (query.has('q') && search === '') return json({ deleted: 0 });
    return removed(assets, db, { route, search, asJson });
  }
  if (route === '' && asJson) {
    const wrong = ['before', 'after'].find((name) => query.has(name) && !/^\d{1,10}$/.test(query.get(name)!));
    // Without it, a test would find the mails of an earlier one.
    if (wrong !== undefined) return json({ message: `${wrong} must be the id of a mail, or 0` }, 400);
    const [before, after] = [idOf(query.get('before')), idOf(query.get('after'))];
    const wanted = { first: pageSize, before, after, search };
    return json(pageJson(await waitForMails(req, db, wanted, Number(query.get('wait') ?? 0)), search));
  }
  if (route === '' || route === 'list') {
    const before = idOf(query.get('before'));
    const page = await listInboxMails(db, { first: pageSize, before, search });
    const view = { current: idOf(query.get('current')), isFirst: before === undefined, search };
    const list = inboxList(page, view);
    if (route === 'list') return { type: 'text/html; charset=utf-8', body: list.toString() };
    return framed(assets, 'Inbox', inboxMain(list, undefined, view));
  }
  const [, id, part] = /^(\d+)(?:\/(html|source|files\/\d+))?$/.exec(route) ?? [];
  const mail = id === undefined ? undefined : await findMail(db, id);
  if (mail === undefined) return notFound(assets, asJson);
  if (part === undefined)
    return asJson ? json(mailJson(mail)) : framed(assets, mail.subject, await opened(db, mail, search));
  if (part === 'html') {
    const body = await mailDocument(mail);
    return { type: 'text/html; charset=utf-8', body, policy: mailDocumentPolicy };
  }
  if (part === 'source') return download(mail.source, `mail-${mail.id}.eml`, 'message/rfc822');
  const file: MailFile | undefined = mail.files[Number(part.slice('files/'.length))];
  return file === undefined
    ? notFound(assets, asJson)
    : download(file.content, file.fileName, 'application/octet-stream');
}

/** A mail beside the list of the newest mails. For an older mail, the list begins with that mail. */
async function opened(db: Db, mail: InboxMail, search: string): Promise<Html> {
  await markRead(db, mail.id);
  const newest: InboxPage = await listInboxMails(db, { first: pageSize, search });
  const isFirst = newest.mails.some(({ id }) => id === mail.id);
  const page = isFirst ? newest : await listInboxMails(db, { first: pageSize, before: mail.id + 1, search });
  const view = { current: mail.id, isFirst, search };
  return inboxMain(inboxList(page, view), mailView(mail, await hasRemotePictures(mail)), view);
}

/** A condition that is not understood, or not read to its end, would delete more than was meant. */
function whyNotDelete(query: URLSearchParams): string | undefined {
  const names = [...query.keys()];
  if (names.some((name) => name !== 'q') || names.length > 1) return 'DELETE has one parameter: q';
  return (query.get('q') ?? '').length > maxSearch ? `q has ${maxSearch} characters at most` : undefined;
}

/** Deletes one mail, or all that a search finds if the route names none. */
async function removed(
  assets: InboxAssets,
  db: Db,
  { route, search, asJson }: { route: string; search: string; asJson: boolean },
): Promise<PageResponse> {
  const id = idOf(route);
  if (route !== '' && id === undefined) return notFound(assets, asJson);
  const deleted = await deleteInboxMails(db, route === '' ? { search } : { id });
  return id !== undefined && deleted === 0 ? notFound(assets, asJson) : json({ deleted });
}

async function findMail(db: Db, text: string): Promise<InboxMail | undefined> {
  const id = idOf(text);
  return id === undefined ? undefined : findInboxMail(db, id);
}

/** Parses an id, a positive 32-bit integer. */
function idOf(text: string | null): number | undefined {
  const id = /^\d{1,10}$/.test(text ?? '') ? Number(text) : 0;
  return id > 0 && id < 2 ** 31 - 1 ? id : undefined;
}

function framed(assets: InboxAssets, title: string, main: Html): PageResponse {
  const body = inboxFrame(assets, `${title || '(no subject)'} · Ticketwire`, main);
  return { type: 'text/html; charset=utf-8', body, policy: inboxPolicy };
}

/** Always a download: parts of a mail must not be rendered on the origin of the gateway. */
const download = (body: Buffer, fileName: string, type: string): PageResponse => ({
  type,
  body,
  headers: { 'content-disposition': dispositionOf(fileName.toWellFormed()) },
});

function notFound(assets: InboxAssets, asJson: boolean): PageResponse {
  if (asJson) return json({ message: 'Mail not found' }, 404);
  const text = html`It does not exist, or was deleted. <a href="/inbox/">All mails</a>`;
  return { ...framed(assets, 'Not found', noteMain('Mail not found', text)), status: 404 };
}
