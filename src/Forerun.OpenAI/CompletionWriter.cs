using System.Text;
using System.Text.Json;
using Forerun.Edge.Generation;
using Forerun.OpenAI.Wire;
using Microsoft.AspNetCore.Http;

namespace Forerun.OpenAI;

/// <summary>Writes one completion to a client: whole, or as server-sent events.</summary>
internal sealed class CompletionWriter(HttpContext context, CompletionShape shape)
{
    private readonly HttpResponse _response = context.Response;
    private readonly CancellationToken _aborted = context.RequestAborted;

    /// <summary>The whole text in one answer.</summary>
    public async Task WriteWholeAsync(IAsyncEnumerable<TextUpdate> updates)
    {
        var text = new StringBuilder();
        var tokens = new List<TextToken>();
        TextEnd? end = null;
        await foreach (var update in updates.ConfigureAwait(false))
        {
            text.Append(update.Text);
            tokens.AddRange(update.Tokens);
            end = update.End;
        }

        var whole = shape.Whole(text.ToString(), tokens, end!);
        await Json.WriteAsync(context, StatusCodes.Status200OK, whole, AnswerJson.Default.Completion).ConfigureAwait(false);
    }

    /// <summary>The text as it comes. Nothing is written before the first round: what fails until then has a status of its
    /// own; what fails later is an event.</summary>
    public async Task StreamAsync(IAsyncEnumerable<TextUpdate> updates, bool includeUsage)
    {
        await foreach (var update in updates.ConfigureAwait(false))
        {
            if (!_response.HasStarted)
            {
                _response.ContentType = "text/event-stream; charset=utf-8";
                _response.Headers.CacheControl = "no-cache";
                await SendAsync(shape.Start()).ConfigureAwait(false);
            }

            var hasMore = update.Text.Length > 0 || !update.Tokens.IsEmpty;
            await SendAsync(hasMore ? shape.Delta(update.Text, update.Tokens) : null).ConfigureAwait(false);
            if (update.End is { } end)
            {
                await SendAsync(shape.Finish(end)).ConfigureAwait(false);
                await SendAsync(includeUsage ? shape.Totals(end) : null).ConfigureAwait(false);
            }

            await _response.Body.FlushAsync(_aborted).ConfigureAwait(false);
        }

        await Json.WriteEventAsync(_response, "[DONE]"u8.ToArray(), _aborted).ConfigureAwait(false);
    }

    private Task SendAsync(Completion? completion) => completion is null
        ? Task.CompletedTask
        : Json.WriteEventAsync(
            _response, JsonSerializer.SerializeToUtf8Bytes(completion, AnswerJson.Default.Completion), _aborted);
}
