import { ToolbarButton, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { useMemo } from 'react';
import { withoutCredentials } from './browser-storage.ts';
import { exampleTabs } from './examples/all.ts';
import { BookIcon, ExamplesPanel } from './examples-panel.tsx';
import { createFetcher } from './fetch/fetcher.ts';
import { activeFiles } from './fetch/picked-files.ts';
import { ClipIcon, FilesPanel, filesPluginTitle, useFiles } from './files-panel.tsx';
import { isNarrow } from './is-narrow.ts';
import { OpenTabs } from './open-tabs.tsx';
import { defaultHeaders, type ExplorerSettings } from './settings.ts';

const examplesPlugin = { title: 'Examples', icon: BookIcon, content: ExamplesPanel };
const filesPlugin = { title: filesPluginTitle, icon: ClipIcon, content: FilesPanel };
const plugins = [examplesPlugin, filesPlugin, HISTORY_PLUGIN];
/** GraphiQL writes this key at the first visit. Later visits do not open the examples again. */
const isFirstVisit = localStorage.getItem('graphiql:tabState') === null;

export function Explorer({ settings }: { settings: ExplorerSettings }) {
  const headers = defaultHeaders(settings);
  const storage = useMemo(() => withoutCredentials(localStorage, headers), [headers]);
  return (
    <GraphiQL
      fetcher={createFetcherOnce(settings.endpoint)}
      plugins={plugins}
      storage={storage}
      defaultTabs={exampleTabs(headers)}
      defaultHeaders={headers}
      // What is stored depends on `storage`: no credentials, unless the user has enabled that.
      shouldPersistHeaders
      {...(isFirstVisit && !isNarrow() ? { visiblePlugin: examplesPlugin.title } : {})}
      defaultEditorToolsVisibility="variables"
      inputValueDeprecation
      schemaDescription
    >
      <GraphiQL.Logo>
        <OpenTabs />
        <nav className="tw-logo" aria-label="Ticketwire">
          <h1>Ticketwire</h1>
          <a href="/ledger" target="_blank" rel="noreferrer" title="What became of each mail">
            Ledger ↗
          </a>
          {settings.inbox !== undefined && (
            <a href={settings.inbox} target="_blank" rel="noreferrer" title="The mails that were sent">
              Inbox ↗
            </a>
          )}
        </nav>
      </GraphiQL.Logo>
      <GraphiQL.Toolbar>
        {({ prettify, merge, copy }) => (
          <>
            <FilesButton />
            {prettify}
            {merge}
            {copy}
          </>
        )}
      </GraphiQL.Toolbar>
    </GraphiQL>
  );
}

/** Beside the run button: how many files go with it. */
function FilesButton() {
  const { files, places } = useFiles();
  const { setVisiblePlugin } = useGraphiQLActions();
  const isOpen = useGraphiQL((state) => state.visiblePlugin?.title === filesPluginTitle);
  const label =
    files.length === 0
      ? places.length > 0
        ? 'Attach files'
        : 'Files (this operation takes none)'
      : `${files.length} ${files.length === 1 ? 'file' : 'files'} attached`;
  return (
    <ToolbarButton label={label} onClick={() => setVisiblePlugin(isOpen ? null : filesPluginTitle)}>
      <span className={places.length > 0 ? 'tw-clip tw-clip-wanted' : 'tw-clip'}>
        <ClipIcon />
        {files.length > 0 && <span className="tw-count">{files.length}</span>}
      </span>
    </ToolbarButton>
  );
}

let made: { endpoint: string; fetcher: ReturnType<typeof createFetcher> } | undefined;

/** GraphiQL reads the schema again whenever its fetcher is another function. */
function createFetcherOnce(endpoint: string) {
  if (made?.endpoint !== endpoint)
    made = { endpoint, fetcher: createFetcher({ endpoint, files: activeFiles }) };
  return made.fetcher;
}
