using Microsoft.Extensions.DependencyInjection;

namespace HttpResilience;

/// <summary>
/// What the application decides itself, if it registered something for it: under the client's name, or for all clients. Looked up when first needed, so that
/// a policy may itself use the client that it is for.
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
