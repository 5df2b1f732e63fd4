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
import { CONTENT_SECURITY_POLICY, pageFile, pagePart, type PageFile } from '../assets/index.js';
import { Public } from '../auth/index.js';
import { Operation, RouteTable, type RouteRow } from '../routes/index.js';
import { PAGES_OPTIONS, type PagesModuleOptions } from './pages.module-definition.js';

const PAGE = { summary: 'A page for people who develop.', hidden: true };

const Page = (): MethodDecorator =>
  applyDecorators(
    Header('Content-Security-Policy', CONTENT_SECURITY_POLICY),
    Header('Cache-Control', 'no-cache'),
    Operation(PAGE),
  );

/** The data that the pages are made of. */
interface Facts extends PagesModuleOptions {
  readonly links: readonly { readonly href: string; readonly text: string }[];
  readonly routes: readonly RouteRow[];
}

/** The pages for development, with their scripts and data. */
@Controller()
@Public()
export class PagesController {
  constructor(
    @Inject(PAGES_OPTIONS) private readonly options: PagesModuleOptions,
    private readonly table: RouteTable,
  ) {}

  @Get()
  @Page()
  async home(): Promise<StreamableFile> {
    return streamed(await pageFile('home'));
  }

  @Get('_explain')
  @Page()
  async explain(): Promise<StreamableFile> {
    return streamed(await pageFile('explain'));
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
  async part(@Param('name') name: string): Promise<StreamableFile> {
    const part = await pagePart(name);
    if (part === undefined) throw new NotFoundException();
    return streamed(part);
  }
}

const streamed = ({ body, type }: PageFile): StreamableFile => new StreamableFile(body, { type });
