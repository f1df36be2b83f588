/** The courier's folder of the demonstration: file names and their bytes. Layer: cli. */
import { inventWaybills } from './people.js';
import { makeDocx, makeXlsx } from './office-open-xml.js';
import { makeOds } from './open-document.js';
import { makePdf } from './pdf.js';

export interface OfficeFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** One file of each kind that an outlet handles all day. */
export function demoOfficeFiles(): OfficeFile[] {
  const waybills = inventWaybills(120);
  const head = ['运单号', '收件人', '电话', '地址', '重量kg', '代收货款'];
  const rows = waybills.map((w) => [
    w.number,
    w.recipient,
    w.phone,
    w.address,
    w.weightKg,
    w.cashOnDelivery,
  ]);
  const first = waybills[0];
  return [
    { name: 'waybills-2026-11.xlsx', bytes: makeXlsx('运单', [head, ...rows]) },
    {
      name: 'customer-letter.docx',
      bytes: makeDocx([
        `Dear ${first?.recipient ?? 'customer'},`,
        `your parcel ${first?.number ?? ''} was delivered late, and we are sorry. We refund the freight.`,
        `尊敬的客户：您的快件延误送达，我们深表歉意，运费将全额退还。`,
        'Customer service, sample outlet',
      ]),
    },
    {
      name: 'price-list.ods',
      bytes: makeOds('Prices', [
        ['Zone', 'First kg', 'Each further kg'],
        ['Same town', 8, 1.5],
        ['Same province', 12, 2],
        ['Other province', 18, 6.5],
      ]),
    },
    {
      name: 'contract.pdf',
      bytes: makePdf([
        'Delivery contract No. 2026-118 (sample)',
        'between Sample Express Outlet East and Example Trading Company.',
        "Freight is settled monthly; the carrier handles recipients' data under this contract only.",
      ]),
    },
  ];
}
