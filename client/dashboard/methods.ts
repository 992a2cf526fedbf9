// What `GET /api/methods` tells of each training method. Types only.

export interface HyperparameterInfo {
  readonly name: string;
  /** The paper's; a choice between words has none. */
  readonly symbol?: string;
  readonly default: number | string;
  readonly description: string;
}

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
