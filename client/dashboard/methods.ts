// What `GET /api/methods` tells of each training method. Types only.

export interface NumberInfo {
  readonly kind: 'number';
  readonly name: string;
  /** The paper's; empty when it has none. */
  readonly symbol: string;
  readonly description: string;
  readonly default: number;
  /** Inclusive bounds, and `below` exclusive. */
  readonly min?: number;
  readonly max?: number;
  readonly below?: number;
  readonly integer?: boolean;
}

export interface ChoiceInfo {
  readonly kind: 'choice';
  readonly name: string;
  readonly symbol?: never;
  readonly description: string;
  readonly default: string;
  readonly choices: readonly string[];
}

export type HyperparameterInfo = NumberInfo | ChoiceInfo;

export interface MethodInfo {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly paper: {
    readonly authors: string;
    readonly year: number;
    readonly title: string;
    readonly url: string;
    readonly where: string;
  };
  readonly hyperparameters: readonly HyperparameterInfo[];
}
