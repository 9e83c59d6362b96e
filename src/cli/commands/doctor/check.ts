/** What a check found. */
export interface CheckResult {
  /** `off`: the setting is absent, so there was nothing to check. */
  readonly result: 'ok' | 'warning' | 'off' | 'failed';
  readonly detail: string;
}
/** The check of one setting. */
export interface SettingCheck {
  /** The setting that is checked, as the row is headed. */
  readonly name: string;
  /** Resolves to the result, or to the detail of a good one. Rejects when the check fails. */
  run(): Promise<string | CheckResult>;
}

/** The result where there was nothing to check. */
export const off = (detail: string): CheckResult => ({ result: 'off', detail });
