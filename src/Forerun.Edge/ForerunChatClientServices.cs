using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace Forerun.Edge;

/// <summary>Dependency injection.</summary>
public static class ForerunChatClientServices
{
    /// <summary>Adds one <see cref="IChatClient"/> for the whole application, a <see cref="ForerunChatClient"/>. The draft
    /// model is loaded on first use; the container disposes it.</summary>
    public static IServiceCollection AddForerunChatClient(this IServiceCollection services, ForerunEdgeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return services
            .AddSingleton(_ => ForerunEdge.Load(options))
            .AddSingleton<IChatClient>(provider =>
                new ForerunChatClient(provider.GetRequiredService<ForerunEdge>().Generator));
    }
}
