import { describe, expect, it } from 'vitest';
import { renderGoTemplate } from './go-template.js';
import { TemplateError } from './parse-go-template.js';

const FILES = {
  settings: {
    service: { port: 8080, name: "it's", tls: false, hosts: ['http://a', 'http://b'] },
    list: [
      { path: '/a', roles: ['x'] },
      { path: '/b', roles: [] },
    ],
    empty: {},
  },
  partials: { 'limit.txt': '"max_rate": {{ 1 }}' },
  templates: {
    'endpoint.tmpl':
      '{ "endpoint": "{{ .path }}"{{ if .roles }}, "roles": {{ marshal .roles }}{{ end }} }',
  },
};
const render = (text: string): string => renderGoTemplate(text, FILES);
const problems = (text: string): readonly string[] => {
  try {
    renderGoTemplate(text, FILES);
  } catch (error) {
    if (error instanceof TemplateError) return error.problems;
    throw error;
  }
  return [];
};

describe('templates', () => {
  it.each([
    ['{ "port": {{ .service.port }} }', '{ "port": 8080 }'],
    ['{{.service.name}}', "it's"],
    ['{{ marshal .service.hosts }}', '["http://a","http://b"]'],
    ['{{ .service.hosts | marshal }}', '["http://a","http://b"]'],
    ['{{/* a comment */}}x', 'x'],
    ['a {{- /* c */ -}} b', 'ab'],
    ['a\n{{- " b " -}}\nc', 'a b c'],
    ['{{ if .service.tls }}on{{ else }}off{{ end }}', 'off'],
    ['{{ if eq .service.port 1 }}1{{ else if eq .service.port 8080 }}2{{ end }}', '2'],
    ['{{ if and .service.port (not .service.tls) }}y{{ end }}', 'y'],
    ['{{ if .service.none }}y{{ else }}n{{ end }}', 'n'],
    ['{{ range .list }}{{ .path }};{{ end }}', '/a;/b;'],
    [
      '{{ range $i, $e := .list }}{{ if $i }},{{ end }}{{ $e.path }}{{ $.service.port }}{{ end }}',
      '/a8080,/b8080',
    ],
    ['{{ range $k, $v := .service }}{{ $k }} {{ end }}', 'hosts name port tls '],
    ['{{ range .empty }}x{{ else }}none{{ end }}', 'none'],
    ['{{ $first := index .list 0 }}{{ $first.path }}', '/a'],
    ['{{ with .service }}{{ .port }}{{ end }}', '8080'],
    ['{{ include "limit.txt" }}', '"max_rate": {{ 1 }}'],
    ['{{ template "endpoint.tmpl" (index .list 0) }}', '{ "endpoint": "/a", "roles": ["x"] }'],
    [
      '{{ range .list }}{{ template "endpoint.tmpl" . }}{{ end }}',
      '{ "endpoint": "/a", "roles": ["x"] }{ "endpoint": "/b" }',
    ],
    ['{{ define "x" }}[{{ . }}]{{ end }}{{ template "x" .service.port }}', '[8080]'],
    ['{{ len .list }}{{ add 1 2 }}{{ sub 3 1 }}{{ upper "a" }}{{ quote "a" }}', '232A"a"'],
    ['{{ .service.none | default "d" }}', 'd'],
    ['{{ join "," .service.hosts }}', 'http://a,http://b'],
    ['{{ "}}" }}', '}}'],
  ])('%s', (text, result) => {
    expect(render(text)).toBe(result);
  });

  it('that need what is not there say all of it', () => {
    expect(
      problems(
        '{{ .urls.a }}{{ .service.none }}{{ include "x" }}{{ template "y" . }}{{ printf "%d" 1 }}',
      ),
    ).toEqual([
      'setting .urls.a is missing: name its folder with --settings',
      'setting .service.none is missing: name its folder with --settings',
      'partial x is missing: name its folder with --partials',
      'template y is missing: name its folder with --templates',
      expect.stringMatching(/^function printf is not rendered; render it first: FC_ENABLE=1/),
    ]);
  });

  it.each([
    '{{ if .a }}',
    '{{ end }}',
    '{{ .a + }}',
    '{{ block "x" . }}{{ end }}',
    '{{ (eq 1 1 }}',
  ])('that are none are refused: %s', (text) => {
    expect(problems(text).length).toBeGreaterThan(0);
  });

  it('have an end', () => {
    const loop = { ...FILES, templates: { a: '{{ template "a" . }}' } };
    expect(() => renderGoTemplate('{{ template "a" . }}', loop)).toThrow(/too deep/);
    const long = { ...FILES, settings: { n: Array.from({ length: 2000 }, () => 0) } };
    expect(() =>
      renderGoTemplate('{{ range .n }}{{ range $.n }}{{ $.n }}{{ end }}{{ end }}', long),
    ).toThrow(/too much/);
    // Nothing is looked up on prototypes.
    expect(problems('{{ .constructor.name }}{{ .service.__proto__ }}')).toHaveLength(2);
  });
});
