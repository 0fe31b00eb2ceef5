using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience;

/// <summary>
/// The application's own classifier, conflict resolver and reconciler, registered under the client's name or for all clients. Resolved on
/// first use, so that each of them may itself use the client.
/// </summary>
/// <param name="services">The root container.</param>
internal sealed class RegisteredExtensions(IServiceProvider services, string clientName)
{
    private Found? _found;

    internal IFailureClassifier? Classifier => (_found ??= Find()).Classifier;

    internal IConflictResolver? ConflictResolver => (_found ??= Find()).ConflictResolver;

    internal IReconciler? Reconciler => (_found ??= Find()).Reconciler;

    private Found Find() => new(Find<IFailureClassifier>(), Find<IConflictResolver>(), Find<IReconciler>());

    private T? Find<T>()
        where T : class => services.GetKeyedService<T>(clientName) ?? services.GetService<T>();

    private sealed record Found(IFailureClassifier? Classifier, IConflictResolver? ConflictResolver, IReconciler? Reconciler);
}
