import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { createMetrics } from '../../src/observe/metrics.ts';
import { readMetrics } from '../support/observed/prometheus.ts';

/* The dashboard and the alerts ask for metrics that there are, with labels that they have. */

const file = (name: string) =>
  readFileSync(new URL(`../../docs/monitoring/${name}`, import.meta.url), 'utf8');

interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly gridPos: { readonly x: number; readonly y: number };
    readonly targets: readonly { readonly expr: string }[];
  }[];
}
interface Rules {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string;
      readonly expr: string;
      readonly labels: { readonly severity: string };
      readonly annotations: { readonly summary: string };
    }[];
  }[];
}

const dashboard = JSON.parse(file('grafana-dashboard.json')) as Dashboard;
const rules = (parse(file('prometheus-alerts.yaml')) as Rules).groups.flatMap((group) => group.rules);
const expressions = [
  ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ...rules.map(({ expr }) => expr),
];
/** Prometheus's own, and of the target rather than of the process. */
const elsewhere = new Set(['up', 'instance', 'job', 'le']);

/** Every metric with one sample at least, and the labels that it has. */
async function known(): Promise<Map<string, Set<string>>> {
  const metrics = createMetrics();
  const noted = { door: 'graphql', codes: ['FORBIDDEN'] } as const;
  metrics.request(noted, 200, 'refused', 0.1);
  metrics.signInRefused('wrong_password');
  metrics.rateLimited('viewer');
  metrics.attempt('SENT', 'SETTLED', 1);
  metrics.eventDelivered(0.1);
  metrics.countLegacy({ client: 'x', fields: ['Html'], status: 200 });
  metrics.watch({
    pools: () => [{ pool: 'desk', open: 1, busy: 0, waiting: 0 }],
    streams: () => 1,
    backlog: async () => ({
      states: [{ state: 'QUEUED', deliveries: 1, oldestSeconds: 1 }],
      stalledSeconds: 0,
    }),
  });
  const found = new Map<string, Set<string>>();
  for (const [name, samples] of readMetrics(await metrics.text())) {
    const labels = [...samples.keys()].flatMap((key) =>
      [...key.matchAll(/(\w+)="/g)].map(([, label]) => label!),
    );
    found.set(name, new Set(labels));
  }
  return found;
}

test('each metric and each label that the dashboard and the alerts ask for is there', async () => {
  const metrics = await known();
  const missing: string[] = [];
  for (const expr of expressions) {
    const named = [...expr.matchAll(/\b((?:ticketwire|nodejs|process)_\w+)(?:\{([^}]*)\})?/g)];
    if (named.length === 0 && !expr.startsWith('up')) missing.push(`no metric in ${expr}`);
    for (const [, name, labels = ''] of named) {
      const has = metrics.get(name!);
      if (has === undefined) missing.push(name!);
      for (const [, label] of labels.matchAll(/(\w+)[=!]~?"/g))
        if (has?.has(label!) === false && !elsewhere.has(label!)) missing.push(`${name}{${label}}`);
    }
    const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, labels]) => labels!.split(/, */));
    const possible = new Set(named.flatMap(([, name]) => [...(metrics.get(name!) ?? [])]));
    for (const label of grouped)
      if (!possible.has(label) && !elsewhere.has(label)) missing.push(`by (${label}) in ${expr}`);
  }
  expect(missing).toEqual([]);
});

test('each metric is described, and its name has the end of its type and no other’s', async () => {
  const text = await createMetrics().text();
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]));
  const described = new Set([...text.matchAll(/^# HELP (\S+) \S/gm)].map(([, name]) => name));
  // As `promtool check metrics` has it.
  const wrong = [...types].filter(
    ([name, type]) =>
      !described.has(name) ||
      name.endsWith('_total') !== (type === 'counter') ||
      /_(count|sum|bucket|milliseconds|ms|kilobytes)$/.test(name) ||
      !/^[a-z][a-z0-9_]*$/.test(name),
  );
  expect(wrong).toEqual([]);
  expect(types.size).toBeGreaterThan(40);
});

test('expressions have balanced brackets; each alert is described here and in OPERATIONS.md', () => {
  for (const expr of expressions)
    for (const [open, close] of ['()', '{}', '[]'])
      expect(expr.split(open!).length, expr).toBe(expr.split(close!).length);
  const said = readFileSync(new URL('../../docs/OPERATIONS.md', import.meta.url), 'utf8');
  for (const { alert, labels, annotations } of rules) {
    expect(['warning', 'critical']).toContain(labels.severity);
    expect(annotations.summary).not.toBe('');
    expect(said).toContain(`| ${alert} |`);
  }
});

test('promtool’s test has series for which each alert is raised, and others for which it is not', () => {
  interface AlertTest {
    readonly alert_rule_test: readonly {
      readonly alertname: string;
      readonly exp_alerts: readonly object[];
    }[];
  }
  const { tests } = parse(file('prometheus-alerts-test.yaml')) as { readonly tests: readonly AlertTest[] };
  const cases = tests.flatMap((one) => one.alert_rule_test);
  const namesOf = (isRaised: boolean) =>
    new Set(
      cases
        .filter(({ exp_alerts: alerts }) => alerts.length > 0 === isRaised)
        .map(({ alertname }) => alertname),
    );
  const names = new Set(rules.map(({ alert }) => alert));
  expect(namesOf(true)).toEqual(names);
  expect(namesOf(false)).toEqual(names);
});

test('no two panels have one id or one place', () => {
  const { panels } = dashboard;
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(new Set(panels.map(({ gridPos: { x, y } }) => `${x} ${y}`)).size).toBe(panels.length);
});
