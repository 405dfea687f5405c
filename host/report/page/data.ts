/** What the page is given: the report, what happened over time in each layer, and the constants behind the figures. */
import type { Timeline } from "../../../sim/profile/timeline.js";
import type { Profile } from "../profile.js";
import type { Report } from "../report.js";

export interface LayerOverTime {
  readonly index: number;
  readonly clocks: number;
  readonly timeline: Omit<Timeline, "causes">;
}

export interface TransferOverTime {
  readonly stream: string;
  readonly layer: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly bytes: number;
}

export interface PageData {
  readonly report: Report;
  readonly profile: Profile;
  readonly overTime: readonly LayerOverTime[];
  readonly transfers: readonly TransferOverTime[];
  readonly partTitles: Readonly<Record<string, string>>;
  readonly boundFormulas: Readonly<Record<string, string>>;
  readonly energyFormulas: Readonly<Record<string, string>>;
  readonly constants: readonly {
    readonly name: string;
    readonly value: number;
    readonly unit: string;
    readonly evidence: string;
    readonly source: string;
  }[];
}
