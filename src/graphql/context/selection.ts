import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLResolveInfo,
  getArgumentValues,
  isObjectType,
  Kind,
} from 'graphql';
import type { KeysetPage, Paging } from '../../tickets/read/pagination.ts';
import { pageWithoutCursor } from '../../tickets/read/pagination.ts';
import type { ListParts, Parts } from './loaders.ts';

/*
 * What a document selects below a field, so that one statement reads all of it. It may include fields that
 * are not answered, because directives and type conditions are ignored. Rows that the statement did not read
 * are loaded when a field asks for them.
 */

type Info = Pick<GraphQLResolveInfo, 'fieldNodes' | 'fragments'>;
type Fragments = Readonly<Record<string, FragmentDefinitionNode>>;

interface Selection {
  /** Names of all fields, at any depth. */
  readonly names: ReadonlySet<string>;
  /** Fields of the object itself, without those that a directive may leave out. */
  readonly fields: readonly FieldNode[];
}

/** By the field's node: documents are cached. */
const known = new WeakMap<FieldNode, Selection>();

function selectionOf(node: FieldNode, fragments: Fragments): Selection {
  let selection = known.get(node);
  if (selection === undefined) {
    const names = new Set<string>();
    const fields: FieldNode[] = [];
    collect(node, fragments, names, fields);
    selection = { names, fields };
    known.set(node, selection);
  }
  return selection;
}

function collect(
  { selectionSet }: Pick<FieldNode | FragmentDefinitionNode, 'selectionSet'>,
  fragments: Fragments,
  names: Set<string>,
  fields: FieldNode[],
): void {
  for (const selection of selectionSet?.selections ?? []) {
    const isConditional = selection.directives !== undefined && selection.directives.length > 0;
    if (selection.kind === Kind.FIELD) {
      names.add(selection.name.value);
      if (!isConditional) fields.push(selection);
      collect(selection, fragments, names, []);
    } else {
      const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments[selection.name.value];
      if (fragment !== undefined) collect(fragment, fragments, names, isConditional ? [] : fields);
    }
  }
}

/**
 * Whether a field of this name (not alias) is selected below the resolved field, at any depth and of any
 * type. Fragments are included, and so are fields that a directive may leave out.
 */
export const selects = ({ fieldNodes, fragments }: Info, name: string): boolean =>
  fieldNodes.some((node) => selectionOf(node, fragments).names.has(name));

const bodyFields = ['body', 'bodyHtml', 'bodyText', 'changes'];

/** What a document selects of the messages below the resolved field, at any depth (see `selects`). */
export const partsOf = (info: Info): Parts => ({
  bodies: bodyFields.some((name) => selects(info, name)),
  files: selects(info, 'attachments'),
  mails: selects(info, 'delivery'),
});

/**
 * What a document selects of the tickets below the resolved field. The parts of messages are those below
 * `lastMessage`; all are false when it is not selected.
 */
export const listPartsOf = (info: Info): ListParts => {
  const lastMessages = selects(info, 'lastMessage');
  const requesters = selects(info, 'requester');
  return lastMessages
    ? { ...partsOf(info), lastMessages, requesters }
    : { bodies: false, files: false, mails: false, lastMessages, requesters };
};

/**
 * The page of a ticket's messages to read together with the ticket. Undefined unless the document selects
 * `messages` exactly once, outside any directive, with valid arguments and without a cursor.
 * @param info of a field whose type is Ticket
 */
export function messagesAhead(info: GraphQLResolveInfo): { page: KeysetPage; parts: Parts } | undefined {
  const { fieldNodes, fragments, schema, variableValues } = info;
  const nodes = fieldNodes
    .flatMap((node) => selectionOf(node, fragments).fields)
    .filter(({ name }) => name.value === 'messages');
  const [node, another] = nodes;
  const type = schema.getType('Ticket');
  if (node === undefined || another !== undefined || !isObjectType(type)) return undefined;
  try {
    const definition = type.getFields().messages!;
    const page = pageWithoutCursor(getArgumentValues(definition, node, variableValues) as Paging);
    return page && { page, parts: partsOf({ fieldNodes: [node], fragments }) };
  } catch {
    // The field itself reports what is wrong with its arguments.
    return undefined;
  }
}
