/** What a check found. */
export interface CheckResult {
  /** `off`: the setting is absent, so there was nothing to check. */
  readonly result: 'ok' | 'warning' | 'off' | 'failed';
  /** One line for the operator: what was found, or what to change. */
  readonly detail: string;
}
/** The check of one setting. */
export interface SettingCheck {
  /** Name of the setting, with which the row begins. */
  readonly name: string;
  /**
   * Carries the check out. A text alone is the detail of an `ok` result. A check fails by the result
   * `failed`, or by rejecting: the error's message is the detail then.
   */
  run(): Promise<string | CheckResult>;
}

/** The result when there was nothing to check. */
export const off = (detail: string): CheckResult => ({ result: 'off', detail });
