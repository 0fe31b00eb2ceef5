using System.Buffers.Binary;
using System.Text;

namespace HttpResilience.IntegrationTests.Telemetry;

/// <summary>A message in the protobuf wire format, read without its schema.</summary>
internal sealed class ProtobufMessage
{
    private readonly List<(int Number, ulong Value, ReadOnlyMemory<byte> Bytes)> _fields = [];

    internal ProtobufMessage(ReadOnlyMemory<byte> data)
    {
        while (data.Length > 0)
        {
            ulong key = ReadVarint(ref data);
            int number = (int)(key >> 3);
            switch (key & 7)
            {
                case 0:
                    _fields.Add((number, ReadVarint(ref data), default));
                    break;
                case 1:
                    _fields.Add((number, BinaryPrimitives.ReadUInt64LittleEndian(data.Span), default));
                    data = data[8..];
                    break;
                case 2:
                    int length = checked((int)ReadVarint(ref data));
                    _fields.Add((number, 0, data[..length]));
                    data = data[length..];
                    break;
                case 5:
                    _fields.Add((number, BinaryPrimitives.ReadUInt32LittleEndian(data.Span), default));
                    data = data[4..];
                    break;
                default:
                    throw new InvalidDataException($"Wire type {key & 7} of field {number}");
            }
        }
    }

    internal bool Has(int field) => _fields.Exists(f => f.Number == field);

    internal IEnumerable<ProtobufMessage> Messages(int field) =>
        _fields.Where(f => f.Number == field).Select(f => new ProtobufMessage(f.Bytes));

    internal string Text(int field) => Encoding.UTF8.GetString(_fields.LastOrDefault(f => f.Number == field).Bytes.Span);

    internal string Hex(int field) => Convert.ToHexStringLower(_fields.LastOrDefault(f => f.Number == field).Bytes.Span);

    internal long Number(int field) => (long)_fields.LastOrDefault(f => f.Number == field).Value;

    internal double Double(int field) => BitConverter.Int64BitsToDouble(Number(field));

    private static ulong ReadVarint(ref ReadOnlyMemory<byte> data)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = data.Span[0];
            data = data[1..];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
                return value;
        }
    }
}
