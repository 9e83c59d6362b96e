import SchemaBuilder from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import RelayPlugin from '@pothos/plugin-relay';
import { encodeGlobalId } from '../../platform/global-id.ts';
import type { IncomingFile } from '../../platform/incoming-file.ts';
import { defaultPageSize, maxPageSize } from '../../tickets/read/pagination.ts';
import type { GraphContext } from '../context/context.ts';
import type { Countable } from './lists/page.ts';

/** The TypeScript types that the schema is built with. A field is non-null unless it says `nullable`. */
export interface SchemaTypes {
  Context: GraphContext;
  DefaultFieldNullability: false;
  DefaultEdgesNullability: false;
  DefaultNodeNullability: false;
  Connection: Countable;
  Scalars: {
    ID: { Input: string; Output: string | number };
    DateTime: { Input: Date; Output: Date };
    Upload: { Input: PromiseLike<IncomingFile> | IncomingFile; Output: never };
  };
}

/** The connection's field already has the page size as its multiplier. */
const onePage = { field: 1, multiplier: 1 };
const pageSizes = `0 to ${maxPageSize}; ${defaultPageSize} when neither \`first\` nor \`last\` is given.`;

/**
 * The Pothos builder with which the files of this folder define the schema, when they are imported
 * (`execute/schema.ts` does so). The root types are defined here, without their fields.
 */
export const builder = new SchemaBuilder<SchemaTypes>({
  plugins: [ComplexityPlugin, RelayPlugin],
  defaultFieldNullability: false,
  complexity: {
    // Pothos writes both to the fields that declare no cost. The second is the assumed length of their lists.
    defaultComplexity: 1,
    defaultListMultiplier: 5,
    // Fields only declare their costs. engine/complexity-limit.ts adds them up and compares the total to the
    // limit, once and before any of them runs.
    disabled: true,
  },
  relay: {
    encodeGlobalID: (typename, id) => encodeGlobalId(typename, String(id)),
    // node.ts defines both. It looks ids up with the viewer's permissions.
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    nodeTypeOptions: {
      description: 'An object that `node` and `nodes` can look up by its id.',
    },
    idFieldOptions: {
      description: 'Global id: stable and unique among all types. Opaque: do not parse it.',
    },
    edgesFieldOptions: {
      nullable: false,
      complexity: onePage,
      description: 'The rows of this page, each with its cursor.',
    },
    nodesOnConnection: { complexity: onePage, description: 'The rows of this page without their cursors.' },
    nodeFieldOptions: { nullable: false, description: 'The row.' },
    cursorFieldOptions: {
      description: 'Cursor of this row, for `after` and `before` of the same list.',
    },
    pageInfoFieldOptions: { description: 'Whether there are more rows, and the cursors to continue from.' },
    pageInfoTypeOptions: { description: 'Whether a list has rows before or after this page.' },
    hasNextPageFieldOptions: {
      description: 'Whether there are rows after this page. Get them with `after: endCursor`.',
    },
    hasPreviousPageFieldOptions: {
      description: 'Whether there are rows before this page. Get them with `last` and `before: startCursor`.',
    },
    startCursorFieldOptions: {
      description:
        'Cursor of the first row. An empty page has the cursor that it was requested with, or null ' +
        'without one.',
    },
    endCursorFieldOptions: {
      description:
        'Cursor of the last row. An empty page has the cursor that it was requested with, or null ' +
        'without one.',
    },
    firstArgOptions: {
      description: `Number of rows from the start, or after \`after\`: ${pageSizes} Not with \`last\`.`,
    },
    lastArgOptions: {
      description: `Number of rows from the end, or before \`before\`: ${pageSizes} Not with \`first\`.`,
    },
    afterArgOptions: {
      description:
        "Return rows after this cursor of the same list. Example: the previous page's " +
        '`pageInfo.endCursor`.',
    },
    beforeArgOptions: {
      description:
        "Return rows before this cursor of the same list. Example: the next page's " +
        '`pageInfo.startCursor`.',
    },
  },
});

builder.queryType({
  description:
    'Queries. A refused field is null, with an error whose `extensions.code` is an `ErrorCode`. The ' +
    'other fields have their values.',
});
builder.mutationType({
  description:
    'Commands. A refusal is a member of the result union: select `... on UserError { code message path ' +
    '}`. An error is a fault of the gateway, or says that a field of the result needs the scope READ. ' +
    'The command has been carried out in the latter case.',
});
builder.subscriptionType({
  description: 'Streams over Server-Sent Events (`Accept: text/event-stream`).',
});
