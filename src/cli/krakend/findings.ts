/** The sections of a report, in their order. */
export const SECTIONS = {
  refused: 'Refused with 403 not_imported until you decide: what protected them is not taken over',
  differs: 'Behaves differently',
  todo: 'To do',
  leftOut: 'Left out',
  unknown: 'Options that KrakenD does not know either, and ignores',
} as const;

export type Section = keyof typeof SECTIONS;

/** A finding, with all routes that it applies to. */
export interface Finding {
  readonly matter: string;
  /** Labels such as `GET /orders/{id}`; empty for a finding about the whole configuration. */
  readonly routes: readonly string[];
}

/** Collects findings. All routes with the same finding are on one line. */
export class Findings {
  private readonly sections = new Map<Section, Map<string, Set<string>>>();

  /** @param route label of the endpoint. Default: the finding is about the whole configuration */
  add(section: Section, matter: string, route?: string): void {
    const matters = this.sections.get(section) ?? new Map<string, Set<string>>();
    this.sections.set(section, matters);
    const routes = matters.get(matter) ?? new Set();
    matters.set(matter, routes);
    if (route !== undefined) routes.add(route);
  }

  of(section: Section): Finding[] {
    return [...(this.sections.get(section) ?? [])].map(([matter, routes]) => ({
      matter,
      routes: [...routes],
    }));
  }
}
