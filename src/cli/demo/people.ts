/**
 * Invented people, places and waybills for the demonstration: deterministic, real-looking, nobody real.
 *
 * Layer: cli. Phone numbers use the unassigned prefix 1000; the streets are in towns that do not exist.
 */
export interface Waybill {
  readonly number: string;
  readonly recipient: string;
  readonly phone: string;
  readonly address: string;
  readonly weightKg: number;
  readonly cashOnDelivery: number;
}

const SURNAMES = ['王', '李', '张', '刘', '陈', '杨', '赵', '黄', '周', '吴'];
const GIVEN = ['晓云', '志远', '雨桐', '建国', '思雨', '海涛', '佳怡', '文博', '静', '磊'];
const STREETS = ['云栖路', '望江街', '长安巷', '桂花道', '南湖路', '青石街'];
const TOWNS = ['示例省样本市东区', '示例省样本市西区', '示例省范例市北区'];

/** `count` waybills, the same ones on every call. */
export function inventWaybills(count: number): Waybill[] {
  return Array.from({ length: count }, (_, index) => ({
    number: `SW${String(77_001_000_000 + index * 7919)}`,
    recipient: pick(SURNAMES, index * 7) + pick(GIVEN, index * 3 + Math.floor(index / 10)),
    phone: `1000${String(1_000_000 + ((index * 104_729) % 8_999_999))}`,
    address: `${pick(TOWNS, index)}${pick(STREETS, index * 5)}${String(((index * 13) % 300) + 1)}号${String((index % 24) + 1)}室`,
    weightKg: Math.round(((index * 37) % 200) + 5) / 10,
    cashOnDelivery: index % 4 === 0 ? ((index * 53) % 900) + 19 : 0,
  }));
}

function pick(values: readonly string[], index: number): string {
  return values[index % values.length] ?? '';
}
