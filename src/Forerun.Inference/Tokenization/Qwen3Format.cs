namespace Forerun.Inference.Tokenization;

/// <summary>What the template of Qwen 3 writes, without tools and with thinking left to the model: ChatML in which
/// thoughts of earlier turns are left out.</summary>
internal static class Qwen3Format
{
    private const string ThoughtStart = "<think>";
    private const string ThoughtEnd = "</think>";
    private const string ToolStart = "<tool_response>";
    private const string ToolEnd = "</tool_response>";

    /// <summary>Writes a conversation down.</summary>
    public static void Write(Conversation conversation, ConversationWriter writer)
    {
        conversation.RequireMessages();
        var messages = conversation.Messages;
        var lastQuestion = LastQuestion(messages);
        for (var i = 0; i < messages.Count; i++)
        {
            if (messages[i].Role != Conversation.Assistant)
            {
                ChatFormats.ChatMlTurn(messages[i].Role, messages[i].Content, writer);
                continue;
            }

            var (thought, answer) = Split(messages[i].Content);
            writer.Template("<|im_start|>assistant\n");
            if (i > lastQuestion && (i == messages.Count - 1 || thought.Length > 0))
            {
                writer.Template($"{ThoughtStart}\n").Content(thought.Trim('\n')).Template($"\n{ThoughtEnd}\n\n");
                answer = answer.TrimStart('\n');
            }

            writer.Content(answer).Template("<|im_end|>\n");
        }

        ChatFormats.ChatMlPrompt(conversation, writer);
    }

    /// <summary>The last user message that is no tool's answer; the last message when there is none.</summary>
    private static int LastQuestion(IReadOnlyList<ChatMessage> messages)
    {
        for (var i = messages.Count - 1; i >= 0; i--)
        {
            if (messages[i].Role == Conversation.User && !IsToolResponse(messages[i].Content))
            {
                return i;
            }
        }

        return messages.Count - 1;
    }

    private static bool IsToolResponse(string content) =>
        content.StartsWith(ToolStart, StringComparison.Ordinal) && content.EndsWith(ToolEnd, StringComparison.Ordinal);

    /// <summary>Takes an assistant's text apart: what stands in front of the first end of a thought, and what follows
    /// the last one.</summary>
    private static (string Thought, string Answer) Split(string content)
    {
        var end = content.IndexOf(ThoughtEnd, StringComparison.Ordinal);
        if (end < 0)
        {
            return ("", content);
        }

        var thought = content[..end].TrimEnd('\n');
        var start = thought.LastIndexOf(ThoughtStart, StringComparison.Ordinal);
        thought = start < 0 ? thought : thought[(start + ThoughtStart.Length)..];
        var answer = content[(content.LastIndexOf(ThoughtEnd, StringComparison.Ordinal) + ThoughtEnd.Length)..];
        return (thought.TrimStart('\n'), answer.TrimStart('\n'));
    }
}
