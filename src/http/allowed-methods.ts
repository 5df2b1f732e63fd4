/** The part of an Express 5 application that is used here. */
export interface RoutedApplication {
  router: {
    stack: readonly {
      match(path: string): boolean;
      route?: { methods: Readonly<Record<string, boolean>> };
    }[];
  };
}

/** Returns the methods that `path` has routes for, in upper case; empty when there is no such path. */
export function allowedMethods({ router }: RoutedApplication, path: string): string[] {
  const methods = new Set<string>();
  for (const layer of router.stack) {
    if (layer.route === undefined || !matches(layer, path)) continue;
    for (const method of Object.keys(layer.route.methods)) methods.add(method.toUpperCase());
  }
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods];
}

function matches(layer: { match(path: string): boolean }, path: string): boolean {
  try {
    return layer.match(path);
  } catch {
    // A parameter that is not valid percent-encoding matches nothing.
    return false;
  }
}
