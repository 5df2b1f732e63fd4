import { transformerStyleToClass } from '@shikijs/transformers';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addPolicy } from './policy.mjs';

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);
const { entryPoints } = JSON.parse(
  readFileSync(new URL('../typedoc.json', import.meta.url), 'utf8'),
);

/** The pages in the order of docs/README.md. */
const manual = readFileSync(new URL('../../docs/README.md', import.meta.url), 'utf8');
const chapters = [...manual.matchAll(/^\d+\. \[(.*?)\]\((.*?)\.md\)/gm)].map(
  ([, text = '', name = '']) => ({ text, link: `/${name}` }),
);
/** A subpath of the package each, `nest-signet` itself first: typedoc has it last, so that it is links to the others. */
const api = [entryPoints.at(-1), ...entryPoints.slice(0, -1)].map((path) => {
  const module = path.replace(/^\.\.\/src\//, '').replace(/(?:\/?index)?\.ts$/, '');
  return {
    text: ['nest-signet', module.split('/').at(-1)].filter(Boolean).join('/'),
    link: `/api/${module}`,
  };
});

const base = process.env.SITE_BASE ?? '/';
/** The policy of the pages allows no style attributes. */
const colours = transformerStyleToClass({ classPrefix: 'c' });

export default {
  title: 'Signet',
  description: 'Token gateway and library for NestJS',
  lang: 'en',
  // Of a project on GitHub Pages: /<repository>/.
  base,
  srcDir: 'dist/pages',
  outDir: 'dist/html',
  cacheDir: 'dist/cache',
  metaChunk: true,
  head: [
    ['link', { rel: 'icon', href: `${base}logo.svg` }],
    ['link', { rel: 'stylesheet', href: `${base}code.css` }],
  ],
  // Otherwise a style attribute, and a style element while the scheme changes.
  contentProps: { class: 'content-of-page' },
  appearance: { disableTransition: false },
  markdown: {
    // With enough contrast on both backgrounds.
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    anchor: { slugify: githubAnchor },
    codeTransformers: [colours],
  },
  buildEnd: ({ outDir }) => {
    writeFileSync(join(outDir, 'code.css'), colours.getCSS());
    addPolicy(outDir);
  },
  themeConfig: {
    logo: '/logo.svg',
    search: { provider: 'local' },
    outline: { level: [2, 3] },
    nav: [
      { text: 'Manual', link: '/manual' },
      { text: 'API', link: '/api/modules' },
      { text: version, link: '/changelog' },
    ],
    sidebar: [
      { text: 'Start', items: [{ text: '60 seconds', link: '/' }, ...chapters] },
      {
        text: 'API',
        items: [{ text: 'All modules', link: '/api/modules' }, ...api],
      },
      {
        text: 'Project',
        items: [
          { text: 'Changelog', link: '/changelog' },
          { text: 'Contributing', link: '/contributing' },
          { text: 'Security', link: '/security' },
          { text: 'Benchmark', link: '/benchmark' },
          { text: 'Models of the protocols', link: '/models' },
        ],
      },
    ],
  },
};

/** Anchors are those of GitHub, so that links work there and here. */
function githubAnchor(title) {
  return title
    .toLowerCase()
    .trim()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');
}
