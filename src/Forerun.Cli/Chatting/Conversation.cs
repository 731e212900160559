using Forerun.Inference.Tokenization;

namespace Forerun.Cli.Chatting;

/// <summary>The turns so far. A question enters with its answer only, so that a failed turn leaves no trace but can be
/// tried again.</summary>
internal sealed class Conversation
{
    private readonly List<ChatMessage> _turns = [];

    /// <summary>What the model is told first; null = what its template says by itself.</summary>
    public string? System { get; set; }

    /// <summary>A question whose answer failed; null = none.</summary>
    public string? Unanswered { get; set; }

    /// <summary>Questions that have an answer.</summary>
    public int Turns => _turns.Count / 2;

    /// <summary>The messages that ask for an answer to this question.</summary>
    public IReadOnlyList<ChatMessage> Ask(string question) =>
    [
        .. System is null ? [] : (ChatMessage[])[new ChatMessage("system", System)],
        .. _turns,
        new ChatMessage("user", question),
    ];

    /// <summary>Keeps a question and its answer.</summary>
    public void Add(string question, string answer)
    {
        _turns.Add(new ChatMessage("user", question));
        _turns.Add(new ChatMessage("assistant", answer));
        Unanswered = null;
    }

    /// <summary>Forgets all turns; what the model is told first stays.</summary>
    public void Reset()
    {
        _turns.Clear();
        Unanswered = null;
    }
}
