import './editor-workers.ts';
import '@graphiql/react/style.css';
import '@graphiql/plugin-history/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import 'graphiql/graphiql.css';
import './explorer.css';
import './phone.css';
import './tabs.css';
import { createRoot } from 'react-dom/client';
import { Explorer } from './explorer.tsx';
import type { ExplorerSettings } from './settings.ts';

const settings = JSON.parse(document.getElementById('settings')?.textContent ?? '{}') as ExplorerSettings;
createRoot(document.getElementById('explorer')!).render(<Explorer settings={settings} />);
