/** What a check found. */
export interface CheckResult {
  /** `off`: the setting is absent, so there was nothing to check. */
  readonly result: 'ok' | 'warning' | 'off' | 'failed';
  readonly detail: string;
}
/** The check of one setting. */
export interface SettingCheck {
  /** Name of the setting, with which the row begins. */
  readonly name: string;
  /** Resolves to the result. A text alone is the detail of an `ok` one. Rejects when the check fails. */
  run(): Promise<string | CheckResult>;
}

/** The result when there was nothing to check. */
export const off = (detail: string): CheckResult => ({ result: 'off', detail });
