using System.Collections;
using System.Collections.Immutable;
using System.Collections.ObjectModel;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace HttpResilience.Tests.Http;

/// <summary>Which JSON is serialized alike each time, judged by its type.</summary>
public sealed class RepeatableJsonTests
{
    private static readonly Dictionary<string, Func<JsonContent>> Values = new()
    {
        ["null"] = () => JsonContent.Create<Invoice?>(null),
        ["a number"] = () => JsonContent.Create(1.5m),
        ["text"] = () => JsonContent.Create("text"),
        ["an enum"] = () => JsonContent.Create(DayOfWeek.Friday),
        ["an anonymous type"] = () => JsonContent.Create(new { Number = 1, At = DateTimeOffset.UnixEpoch, Id = (Guid?)Guid.Empty }),
        ["a record with lines and a parent"] = () => JsonContent.Create(new Invoice(1, [new("a", 2)], null)),
        ["an array"] = () => JsonContent.Create(new[] { new Line("a", 1) }),
        ["an array of arrays"] = () => JsonContent.Create(new[] { new[] { 1 } }),
        ["a list as a sequence"] = () => JsonContent.Create<IEnumerable<string>>(new List<string> { "a" }),
        ["an array as a read-only list"] = () => JsonContent.Create<IReadOnlyList<int>>(new[] { 1, 2, 3 }),
        ["a list as an object"] = () => JsonContent.Create<object>(new List<Line> { new("a", 1) }),
        ["a dictionary"] = () => JsonContent.Create(new Dictionary<string, Line> { ["a"] = new("a", 1) }),
        ["an immutable array"] = () => JsonContent.Create(ImmutableArray.Create(1)),
        ["enums as text"] = () => JsonContent.Create(new { Day = DayOfWeek.Friday }, options: With(new JsonStringEnumConverter())),
        ["enums as text, by a member"] = () => JsonContent.Create(new WithDay()),
        ["generated metadata"] = () => JsonContent.Create(new Plain(), GeneratedJson.Default.Plain),
        ["fields"] = () => JsonContent.Create((1, "a"), options: new() { IncludeFields = true }),
        ["pairs"] = () => JsonContent.Create(new List<KeyValuePair<string, int>> { new("a", 1) }),
        ["a property of an interface"] = () => JsonContent.Create(new Numbered()),
        ["an element"] = () => JsonContent.Create(JsonDocument.Parse("[1]").RootElement),
        ["a dictionary of elements"] = () => JsonContent.Create(new Dictionary<string, JsonElement>()),
        ["an ignored sequence"] = () => JsonContent.Create(new Ignoring()),
        ["a generic of values"] = () => JsonContent.Create(new Page<Line>(1, [])),
    };

    private static readonly Dictionary<string, Func<JsonContent>> Sequences = new()
    {
        ["an iterator"] = () => JsonContent.Create(Rows()),
        ["an iterator as an object"] = () => JsonContent.Create<object>(Rows()),
        ["a query"] = () => JsonContent.Create(new[] { 1 }.Select(i => i)),
        ["a query as a read-only collection"] = () => JsonContent.Create<IReadOnlyCollection<int>>(new LazyList()),
        ["an asynchronous iterator"] = () => JsonContent.Create(AsyncRows()),
        ["a property that is a sequence"] = () => JsonContent.Create(new { Lines = Rows() }),
        ["a property that is an object"] = () => JsonContent.Create(new { Any = (object)1 }),
        ["a property that is an interface"] = () => JsonContent.Create(new Page<int>.WithList([1])),
        ["a property that is an asynchronous sequence"] = () => JsonContent.Create(new { Lines = AsyncRows() }),
        ["deep in a list in a record"] = () => JsonContent.Create(new List<Page<IEnumerable<int>>>()),
        ["a dictionary of objects"] = () => JsonContent.Create(new Dictionary<string, object>()),
        ["an array of sequences"] = () => JsonContent.Create(new[] { Rows() }),
        ["a collection of its own"] = () => JsonContent.Create(new LazyList()),
        ["a list of its own"] = () => JsonContent.Create(new LazyDerived()),
        ["a base class with a sequence"] = () => JsonContent.Create(new Derived()),
        ["a stream, by a converter in the options"] = () => JsonContent.Create(new Upload(), options: With(new StreamConverter())),
        ["any converter in the options"] = () => JsonContent.Create(1, options: With(new StreamConverter())),
        ["a converter that is derived from one of the platform"] = () => JsonContent.Create(1, options: With(new OwnEnumConverter())),
        ["a converter of a property"] = () => JsonContent.Create(new ConvertedProperty()),
        ["a converter of a field"] = () => JsonContent.Create(new ConvertedField()),
        ["a converter of an enum"] = () => JsonContent.Create(ConvertedEnum.A),
        ["a converter that an attribute makes"] = () => JsonContent.Create(new { Number = new MadeByAttribute() }),
        ["metadata that a modifier changes"] = () => JsonContent.Create(new Plain(), options: new()
        {
            TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { type => type.Properties.Clear() } },
        }),
        ["generated metadata that a modifier changes"] = () => JsonContent.Create(new Plain(), options: new()
        {
            TypeInfoResolver = GeneratedJson.Default.WithAddedModifier(type => type.Properties.Clear()),
        }),
        ["a resolver of its own"] = () => JsonContent.Create(new Plain(), options: new() { TypeInfoResolver = new OwnResolver() }),
        ["metadata made by hand"] = () => JsonContent.Create(new Plain(), MadeByHand()),
        ["a policy of its own for keys"] = () => JsonContent.Create(
            new Dictionary<string, int>(), options: new() { DictionaryKeyPolicy = new OwnPolicy() }),
        ["a stream"] = () => JsonContent.Create(new Upload()),
        ["a reader"] = () => JsonContent.Create(new { Text = (TextReader)new StringReader("a"), Rows = Rows().GetEnumerator() }),
        ["a computed property"] = () => JsonContent.Create(new Computed()),
        ["a computed property with a field"] = () => JsonContent.Create(new SemiComputed()),
        ["a property that a derived type may compute"] = () => JsonContent.Create(new { Any = (Open)new Overriding() }),
        ["a lazy property"] = () => JsonContent.Create(new { Any = new Lazy<int>(() => 1) }),
        ["a callback"] = () => JsonContent.Create(new Counting()),
        ["a node, which may hold any value"] = () => JsonContent.Create(new JsonObject { ["a"] = JsonValue.Create(Rows()) }),
        ["a collection around another list"] = () => JsonContent.Create(new ReadOnlyCollection<int>([1])),
        ["an included field"] = () => JsonContent.Create(new Including()),
        ["a converter of its own"] = () => JsonContent.Create(new Converted()),
        ["a polymorphic type"] = () => JsonContent.Create(new Shape()),
        ["a derived value as its base"] = () => JsonContent.Create<Plain>(new LazyPlain()),
        ["extension data"] = () => JsonContent.Create(new Extended()),
    };

    public static TheoryData<string> AllValues => [.. Values.Keys];

    public static TheoryData<string> AllSequences => [.. Sequences.Keys];

    [Theory, MemberData(nameof(AllValues))]
    public void Json_that_holds_no_lazy_sequence_is_a_value(string kind)
    {
        RequestBody.IsValue(Values[kind]()).ShouldBeTrue();
        RequestBody.IsValue(Values[kind]()).ShouldBeTrue();
    }

    [Theory, MemberData(nameof(AllSequences))]
    public void Json_that_can_hold_a_lazy_sequence_is_recorded(string kind)
    {
        RequestBody.IsValue(Sequences[kind]()).ShouldBeFalse();
        RequestBody.IsValue(Sequences[kind]()).ShouldBeFalse();
    }

    [Fact]
    public void To_ask_costs_no_memory()
    {
        HttpContent[] contents =
        [
            new StringContent("a"),
            new ByteArrayContent([1]),
            new ReadOnlyMemoryContent(new byte[1]),
            new FormUrlEncodedContent([new("a", "1")]),
            JsonContent.Create(new Plain()),
            JsonContent.Create(new Invoice(1, [new("a", 1)], null)),
            JsonContent.Create(new List<int> { 1 }),
        ];
        contents.ShouldAllBe(c => RequestBody.IsValue(c));

        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var content in contents)
            RequestBody.IsValue(content);

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    private static IEnumerable<string> Rows()
    {
        yield return "a";
    }

    private static async IAsyncEnumerable<string> AsyncRows()
    {
        await Task.Yield();
        yield return "a";
    }

    private static JsonSerializerOptions With(JsonConverter converter) => new() { Converters = { converter } };

    private static JsonTypeInfo<Plain> MadeByHand()
    {
        var type = (JsonTypeInfo<Plain>)new DefaultJsonTypeInfoResolver().GetTypeInfo(typeof(Plain), new(JsonSerializerDefaults.Web)
        {
            TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        });
        int count = 0;
        type.Properties[0].Get = _ => ++count;
        return type;
    }

    private sealed class WithDay
    {
        [JsonConverter(typeof(JsonStringEnumConverter<DayOfWeek>))]
        public DayOfWeek Day { get; set; }
    }

    private interface INumbered
    {
        int Number { get; }
    }

    private sealed class Numbered : INumbered
    {
        public int Number { get; } = 1;
    }

    private sealed class Upload
    {
        public Stream File { get; } = new MemoryStream("hello"u8.ToArray());
    }

    private sealed class StreamConverter : JsonConverter<Stream>
    {
        public override Stream? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => null;

        public override void Write(Utf8JsonWriter writer, Stream value, JsonSerializerOptions options) => writer.WriteNullValue();
    }

    private sealed class OwnEnumConverter : JsonStringEnumConverter<DayOfWeek>;

    private sealed class ConvertedProperty
    {
        [JsonConverter(typeof(StreamConverter))]
        public Stream? File { get; set; }
    }

    private sealed class ConvertedField
    {
        [JsonInclude, JsonConverter(typeof(NumberConverter))]
        public int Number = 1;
    }

    [JsonConverter(typeof(EnumConverter))]
    private enum ConvertedEnum
    {
        A,
    }

    private sealed class EnumConverter : JsonConverter<ConvertedEnum>
    {
        public override ConvertedEnum Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => default;

        public override void Write(Utf8JsonWriter writer, ConvertedEnum value, JsonSerializerOptions options) => writer.WriteNullValue();
    }

    private sealed class NumberConverter : JsonConverter<int>
    {
        public override int Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => 0;

        public override void Write(Utf8JsonWriter writer, int value, JsonSerializerOptions options) => writer.WriteNumberValue(value);
    }

    private sealed class NumberConverterAttribute : JsonConverterAttribute
    {
        public override JsonConverter CreateConverter(Type typeToConvert) => new NumberConverter();
    }

    private sealed class MadeByAttribute
    {
        [NumberConverter]
        public int Number { get; set; }
    }

    private sealed class OwnResolver : DefaultJsonTypeInfoResolver;

    private sealed class OwnPolicy : JsonNamingPolicy
    {
        public override string ConvertName(string name) => name;
    }

    private sealed class Computed
    {
        private int _reads;

        public int Number => ++_reads;
    }

    private sealed class SemiComputed
    {
        public int Number { get => ++field; } = 1;
    }

    private class Open
    {
        public virtual int Number { get; } = 1;
    }

    private sealed class Overriding : Open
    {
        private int _reads;

        public override int Number => ++_reads;
    }

    private sealed class Counting : IJsonOnSerializing
    {
        public int Number { get; set; }

        public void OnSerializing() => Number++;
    }

    private sealed record Invoice(int Number, List<Line> Lines, Invoice? Corrects);

    private sealed record Line(string Text, decimal Net);

    private sealed record Page<T>(int Number, T[] Items)
    {
        internal sealed record WithList(IReadOnlyList<T> Items);
    }

    private sealed class Ignoring
    {
        public int Number { get; } = 1;

        [JsonIgnore]
        public IEnumerable<string> Lines { get; } = Rows();
    }

    private sealed class LazyList : IReadOnlyCollection<int>
    {
        public int Count => 1;

        public IEnumerator<int> GetEnumerator()
        {
            yield return 1;
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    private sealed class LazyDerived : List<int>, IEnumerable<int>
    {
        IEnumerator<int> IEnumerable<int>.GetEnumerator()
        {
            yield return 1;
        }
    }

    private class Base
    {
        public IEnumerable<string> Lines { get; } = Rows();
    }

    private sealed class Derived : Base;

    internal class Plain
    {
        public int Number { get; } = 1;
    }

    private sealed class LazyPlain : Plain
    {
        public IEnumerable<string> Lines { get; } = Rows();
    }

    private sealed class Including
    {
        [JsonInclude]
        private IEnumerable<string> Lines { get; set; } = Rows();
    }

    [JsonConverter(typeof(Converter))]
    private sealed class Converted;

    private sealed class Converter : JsonConverter<Converted>
    {
        public override Converted Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new();

        public override void Write(Utf8JsonWriter writer, Converted value, JsonSerializerOptions options) => writer.WriteNullValue();
    }

    [JsonDerivedType(typeof(Square))]
    private class Shape;

    private sealed class Square : Shape
    {
        public IEnumerable<string> Sides { get; } = Rows();
    }

    private sealed class Extended
    {
        [JsonExtensionData]
        public Dictionary<string, object> More { get; } = [];
    }
}

[JsonSerializable(typeof(RepeatableJsonTests.Plain))]
internal sealed partial class GeneratedJson : JsonSerializerContext;
