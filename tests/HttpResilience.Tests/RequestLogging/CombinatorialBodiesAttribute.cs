using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace HttpResilience.Tests.RequestLogging;

/// <summary>Every way to get a body, times every length that is special for a limit of 32.</summary>
internal sealed class CombinatorialBodiesAttribute : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker) =>
        new([
            .. from async in (bool[])[true, false]
               from readAsync in (bool[])[true, false]
               from seekable in (bool[])[true, false]
               from completion in (HttpCompletionOption[])[HttpCompletionOption.ResponseContentRead,
                   HttpCompletionOption.ResponseHeadersRead]
               from length in (int[])[0, 1, 31, 32, 33, 1000]
               select new TheoryDataRow<bool, bool, bool, HttpCompletionOption, int>(async, readAsync, seekable, completion, length),
        ]);

    public override bool SupportsDiscoveryEnumeration() => true;
}
