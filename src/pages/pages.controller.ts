import { readFile } from 'node:fs/promises';
import {
  applyDecorators,
  Controller,
  Get,
  Header,
  Inject,
  NotFoundException,
  Param,
  StreamableFile,
} from '@nestjs/common';
import { Public } from '../auth/index.js';
import { Operation, RouteTable, type RouteRow } from '../routes/index.js';
import { PAGES_OPTIONS, type PagesModuleOptions } from './pages.module-definition.js';

/** Of the pages: their own scripts and styles, and requests to this gateway. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join(';');

const TYPES: Readonly<Record<string, string>> = {
  'home.js': 'text/javascript',
  'explain.js': 'text/javascript',
  'view.js': 'text/javascript',
  'style.css': 'text/css',
};

const PAGE = { summary: 'A page for people who develop.', hidden: true };

const Page = (): MethodDecorator =>
  applyDecorators(
    Header('Content-Type', 'text/html; charset=utf-8'),
    Header('Content-Security-Policy', CONTENT_SECURITY_POLICY),
    Header('Cache-Control', 'no-cache'),
    Operation(PAGE),
  );

/** What the pages need to know. */
interface Facts extends PagesModuleOptions {
  readonly links: readonly { readonly href: string; readonly text: string }[];
  readonly routes: readonly RouteRow[];
}

/** The pages, and what they are made of. */
@Controller()
@Public()
export class PagesController {
  constructor(
    @Inject(PAGES_OPTIONS) private readonly options: PagesModuleOptions,
    private readonly table: RouteTable,
  ) {}

  @Get()
  @Page()
  home(): Promise<StreamableFile> {
    return asset('home.html');
  }

  @Get('_explain')
  @Page()
  explain(): Promise<StreamableFile> {
    return asset('explain.html');
  }

  @Get('_pages/facts.json')
  @Header('Cache-Control', 'no-store')
  @Operation(PAGE)
  facts(): Facts {
    const links = [
      { href: '/_explain', text: 'Why is a token refused?' },
      ...(this.options.docs ? [{ href: '/docs', text: 'API' }] : []),
      { href: '/.well-known/openid-configuration', text: 'Metadata' },
      { href: '/.well-known/jwks.json', text: 'Public keys' },
      { href: '/health/ready', text: 'Health' },
    ];
    const routes = this.table.rows().filter(({ path }) => !path.startsWith('/_pages/'));
    return { ...this.options, links, routes };
  }

  @Get('_pages/:name')
  @Header('Cache-Control', 'no-cache')
  @Operation(PAGE)
  asset(@Param('name') name: string): Promise<StreamableFile> {
    const type = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
    if (type === undefined) throw new NotFoundException();
    return asset(name, `${type}; charset=utf-8`);
  }
}

async function asset(name: string, type?: string): Promise<StreamableFile> {
  return new StreamableFile(await readFile(new URL(`./assets/${name}`, import.meta.url)), { type });
}
