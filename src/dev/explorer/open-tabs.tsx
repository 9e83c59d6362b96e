import { CloseIcon, PlusIcon, pick, UnStyledButton, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useRef } from 'react';
import { setActiveTab } from './fetch/picked-files.ts';

/**
 * The open operations, in the place of GraphiQL's own tabs (`explorer.css` hides those): they contain two
 * buttons in one element of the role `tab`, which assistive technology takes for a single control.
 */
export function OpenTabs() {
  const { tabs, activeTabIndex } = useGraphiQL(pick('tabs', 'activeTabIndex'));
  const { addTab, changeTab, closeTab } = useGraphiQLActions();
  const active = useRef<HTMLButtonElement>(null);
  const hasClosed = useRef(false);
  const id = tabs[activeTabIndex]?.id ?? '';
  // The fetcher sends the files of the tab that is being run.
  useEffect(() => setActiveTab(id), [id]);
  // Whenever a title changes: it comes after its tab, and is wider.
  useEffect(() => {
    active.current?.parentElement?.scrollIntoView({ inline: 'nearest', block: 'nearest' });
  });
  useEffect(() => {
    // The button that had the focus is gone.
    if (hasClosed.current && tabs.length > 0) active.current?.focus();
    hasClosed.current = false;
  }, [tabs.length]);
  return (
    <div className="tw-tabs">
      <ul aria-label="Open operations">
        {tabs.map((tab, index) => (
          <li key={tab.id} className={index === activeTabIndex ? 'tw-tab tw-tab-active' : 'tw-tab'}>
            <UnStyledButton
              type="button"
              ref={index === activeTabIndex ? active : null}
              aria-current={index === activeTabIndex}
              aria-controls="graphiql-session"
              onClick={() => changeTab(index)}
            >
              {tab.title}
            </UnStyledButton>
            {tabs.length > 1 && (
              <UnStyledButton
                type="button"
                className="tw-tab-close"
                aria-label={`Close ${tab.title}`}
                onClick={() => {
                  hasClosed.current = true;
                  closeTab(index);
                }}
              >
                <CloseIcon aria-hidden="true" />
              </UnStyledButton>
            )}
          </li>
        ))}
      </ul>
      <UnStyledButton
        type="button"
        className="tw-tab-add"
        aria-label="New tab"
        title="New tab"
        onClick={addTab}
      >
        <PlusIcon aria-hidden="true" />
      </UnStyledButton>
    </div>
  );
}
