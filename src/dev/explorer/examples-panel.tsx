import { pick, UnStyledButton, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { exampleGroups, variablesText } from './examples/all.ts';
import type { Example } from './examples/example.ts';
import { filesPluginTitle, PanelIcon } from './files-panel.tsx';
import { isNarrow } from './is-narrow.ts';

const book =
  'M8 3.5C6.5 2.5 4.5 2.2 2 2.5v10c2.5-.3 4.5 0 6 1 1.5-1 3.5-1.3 6-1v-10c-2.5-.3-4.5 0-6 1Zm0 0v10';
export const BookIcon = () => <PanelIcon d={book} />;

/**
 * Each use of the API, one click away: an example opens in a tab of its own, or the tab that already has it.
 */
export function ExamplesPanel() {
  const open = useOpenExample();
  return (
    <section className="tw-panel" aria-label="Examples">
      <header className="graphiql-doc-explorer-header tw-panel-title">Examples</header>
      <p>Each one opens in a tab and can be run as it is; what you change in it stays yours.</p>
      {Object.entries(exampleGroups).map(([title, examples]) => (
        <ExampleGroup key={title} title={title} examples={examples} open={open} />
      ))}
    </section>
  );
}

interface ExampleGroupProps {
  readonly title: string;
  readonly examples: readonly Example[];
  readonly open: ((example: Example) => void) | undefined;
}

function ExampleGroup({ title, examples, open }: ExampleGroupProps) {
  return (
    <>
      <h2 className="tw-group">{title}</h2>
      <ul className="tw-examples">
        {examples.map((example) => (
          <li key={example.operationName}>
            <UnStyledButton
              type="button"
              className="tw-example"
              disabled={open === undefined}
              onClick={() => open?.(example)}
            >
              <b>{example.title}</b>
              <span>{example.about}</span>
            </UnStyledButton>
          </li>
        ))}
      </ul>
    </>
  );
}

/** Undefined until the editors exist, because ▶ would not run an example that was opened earlier. */
function useOpenExample(): ((example: Example) => void) | undefined {
  const { addTab, changeTab, setVisiblePlugin } = useGraphiQLActions();
  const { tabs, queryEditor, variableEditor } = useGraphiQL(pick('tabs', 'queryEditor', 'variableEditor'));
  if (queryEditor === undefined || variableEditor === undefined) return undefined;
  return (example) => {
    const index = tabs.findIndex((tab) => tab.operationName === example.operationName);
    if (index >= 0) {
      changeTab(index);
    } else {
      addTab();
      queryEditor.setValue(example.query);
      variableEditor.setValue(variablesText(example));
    }
    // The editor handles Ctrl-Enter.
    queryEditor.focus();
    if (example.takesFiles) setVisiblePlugin(filesPluginTitle);
    else if (isNarrow()) setVisiblePlugin(null);
  };
}
