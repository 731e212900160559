using System.Runtime.CompilerServices;
using Forerun.Core.Decoding;
using Forerun.Edge.Generation;
using Microsoft.Extensions.AI;

namespace Forerun.Edge;

/// <summary>Chat for .NET applications (Microsoft.Extensions.AI): drafts here, verified by the target; or the target
/// alone. Thread-safe: calls that need a drafter wait for one in order of arrival, and are refused when too many wait.
/// </summary>
/// <remarks>
/// <para>Options that are obeyed: instructions, temperature (null = 0, greedy), top-p, top-k, seed (null = a fresh one),
/// maximum output tokens (null = until the context is full), stop sequences, and the model id, which must be the target's.
/// Options that would change the text and are not supported throw <see cref="NotSupportedException"/>; additional
/// properties are ignored.</para>
/// <para>Buffered and streamed answers are the same text. Each streamed update carries its <see cref="TextUpdate"/> as raw
/// representation.</para>
/// </remarks>
/// <param name="generator">Generates; the caller keeps owning it.</param>
public sealed class ForerunChatClient(TextGenerator generator) : IChatClient
{
    private readonly ChatClientMetadata _metadata = new("forerun");

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">An option or content is not supported.</exception>
    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">An option or content is not supported.</exception>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var request = ChatMapping.ToRequest(generator, messages, options);
        return StreamAsync(request, options, cancellationToken);
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ChatClientMetadata) ? _metadata
            : serviceType.IsInstanceOfType(generator) ? generator
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <summary>Does nothing: the generator belongs to the caller.</summary>
    public void Dispose()
    {
    }

    private async IAsyncEnumerable<ChatResponseUpdate> StreamAsync(
        GenerationRequest request, ChatOptions? options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var target = await generator.DescribeAsync(cancellationToken).ConfigureAwait(false);
        ChatMapping.CheckModel(options, target.TargetId);
        var responseId = Guid.NewGuid().ToString("N");
        var updates = generator.GenerateAsync(request, options?.StopSequences?.AsReadOnly(), cancellationToken);
        await foreach (var update in updates.ConfigureAwait(false))
        {
            var response = new ChatResponseUpdate(ChatRole.Assistant, update.Text)
            {
                ResponseId = responseId,
                MessageId = responseId,
                ModelId = update.Round.Loss is null ? target.TargetId : generator.FallbackModel,
                RawRepresentation = update,
            };
            if (update.End is { } end)
            {
                response.FinishReason = ChatMapping.ToFinishReason(end.Reason);
                response.Contents.Add(new UsageContent(ChatMapping.ToUsage(request, end)));
            }

            yield return response;
        }
    }
}
